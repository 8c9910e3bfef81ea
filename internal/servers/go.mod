module github.com/rowdelta/rowdelta/internal/servers

go 1.26

// Only the standard library: whatever a test of this project needs to talk to a server with is that test's own choice.
replace github.com/rowdelta/rowdelta => ../..
