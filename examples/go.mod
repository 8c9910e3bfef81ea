module github.com/rowdelta/rowdelta/examples

go 1.26

require github.com/rowdelta/rowdelta v0.0.0

replace github.com/rowdelta/rowdelta => ..
