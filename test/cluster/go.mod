module yumen.dev/test/cluster

go 1.25
