module yumen.dev/test/e2e

go 1.24
