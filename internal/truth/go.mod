module github.com/rowdelta/rowdelta/internal/truth

go 1.26

require github.com/rowdelta/rowdelta v0.0.0 // what the tests judge

replace github.com/rowdelta/rowdelta => ../..
