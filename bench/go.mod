module yumen.dev/bench

go 1.24
