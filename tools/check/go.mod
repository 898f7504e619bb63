module yumen.dev/tools/check

go 1.24
