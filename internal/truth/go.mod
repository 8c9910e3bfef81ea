module github.com/rowdelta/rowdelta/internal/truth

go 1.26

require github.com/rowdelta/rowdelta v0.0.0 // what the tests judge

require github.com/goccy/go-json v0.12.0 // indirect

replace github.com/rowdelta/rowdelta => ../..
