module github.com/rowdelta/rowdelta/dedupe/redisstore

go 1.26

require (
	github.com/alicebob/miniredis/v2 v2.40.0 // tests: Redis in the test's own process, with Lua
	github.com/redis/go-redis/v9 v9.22.0 // the client, whose types the interface API is made of; 9.23 would raise the whole workspace's go
	github.com/rowdelta/rowdelta v0.0.0 // the interface that is implemented, and its suite
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/goccy/go-json v0.12.0 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	golang.org/x/sys v0.30.0 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)

replace github.com/rowdelta/rowdelta => ../..
