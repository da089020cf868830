module example.com/loaded

go 1.26.0
