module yumen.dev/tools/style

go 1.24
