package main

import (
	"slices"
	"testing"
)

// workspace builds a graph that keeps all rules; change breaks it.
func workspace(change func(*graph)) *graph {
	g := &graph{
		modules: []string{root, root + "/examples", root + "/internal/bench", root + "/internal/servers"},
		requires: []requirement{
			{Path: "github.com/goccy/go-json"}, {Path: "github.com/segmentio/asm"}, {Path: "pgregory.net/rapid"},
			{Path: "golang.org/x/sys", Indirect: true},
		},
		packages: map[string]*pkg{},
	}
	add := func(mod, path string, imports ...string) {
		p := &pkg{ImportPath: path, Imports: imports, Standard: mod == ""}
		if mod != "" {
			p.Module = &module{Path: mod}
		}
		g.add(p)
	}
	add("", "fmt")
	add("golang.org/x/sys", "golang.org/x/sys/cpu")
	add("github.com/goccy/go-json", "github.com/goccy/go-json", "fmt")
	add("github.com/segmentio/asm", "github.com/segmentio/asm/base64", "golang.org/x/sys/cpu")
	add("pgregory.net/rapid", "pgregory.net/rapid", "example.org/indirect")
	add("example.org/indirect", "example.org/indirect")
	add("example.org/heavy", "example.org/heavy")
	add(root, root)
	add(root, root+"/internal/jsonscan", "fmt")
	add(root, root+"/internal/other", root+"/internal/jsonscan")
	add(root, root+"/envelope", "fmt", root+"/internal/jsonscan")
	add(root, root+"/route", root+"/envelope", root+"/internal/jsonscan", "github.com/segmentio/asm/base64", "github.com/goccy/go-json")
	add(root, root+"/dsql", root+"/envelope")
	add(root, root+"/dedupe", root+"/envelope")
	add(root, root+"/dedupe/storetest", root+"/dedupe", "pgregory.net/rapid")
	add(root+"/examples", root+"/examples/quickstart", root+"/route", root+"/dsql", "example.org/heavy")
	add(root+"/internal/servers", root+"/internal/servers", "example.org/heavy")
	add(root+"/internal/bench", root+"/internal/bench", root+"/envelope", root+"/internal/servers")
	if change != nil {
		change(g)
	}
	return g
}

func TestCheck(t *testing.T) {
	imports := func(from string, to ...string) func(*graph) {
		return func(g *graph) {
			p := g.packages[root+"/"+from]
			p.Imports = append(p.Imports, to...)
		}
	}
	tests := []struct {
		name   string
		change func(*graph)
		want   []string
	}{
		{"all rules kept", nil, nil},
		{"heavy in the core", imports("envelope", "example.org/heavy"), []string{
			// Whatever imports envelope needs it too.
			"dedupe depends on example.org/heavy (module example.org/heavy)",
			"dsql depends on example.org/heavy (module example.org/heavy)",
			"envelope depends on example.org/heavy (module example.org/heavy)",
			"route depends on example.org/heavy (module example.org/heavy)",
		}},
		{"heavy in internal", imports("internal/other", "example.org/heavy"), []string{
			"internal/other depends on example.org/heavy (module example.org/heavy)",
		}},
		{"test library in the core", imports("dsql", "pgregory.net/rapid"), []string{
			"dsql depends on example.org/indirect (module example.org/indirect)",
			"dsql depends on pgregory.net/rapid (module pgregory.net/rapid)",
		}},
		{"nested module in the core", imports("dsql", root+"/internal/servers"), []string{
			"dsql depends on example.org/heavy (module example.org/heavy)",
			"dsql depends on " + root + "/internal/servers (module " + root + "/internal/servers)",
		}},
		{"nested module in a suite", imports("dedupe/storetest", root+"/internal/servers"), []string{
			"dedupe/storetest depends on " + root + "/internal/servers (module " + root + "/internal/servers)",
		}},
		{"suite in the core", imports("dedupe", root+"/dedupe/storetest"), []string{
			"dedupe depends on example.org/indirect (module example.org/indirect)",
			"dedupe depends on pgregory.net/rapid (module pgregory.net/rapid)",
			"dedupe imports the conformance suite dedupe/storetest",
		}},
		{"envelope upwards", imports("envelope", root+"/dsql"), []string{"envelope imports dsql"}},
		{"envelope to the root", imports("envelope", root), []string{"envelope imports ."}},
		{"internal upwards", imports("internal/other", root+"/envelope"), []string{"internal/other imports envelope"}},
		{"sideways", imports("dedupe", root+"/dsql"), []string{"dedupe imports dsql"}},
		{"sideways from a suite", imports("dedupe/storetest", root+"/route"), []string{"dedupe/storetest imports route"}},
		{"middle to the root", imports("route", root), []string{"route imports ."}},
		{"nested to internal", imports("examples/quickstart", root+"/internal/jsonscan"), []string{
			"examples/quickstart of a nested module imports internal/jsonscan",
		}},
		{"nested test to internal", func(g *graph) {
			g.packages[root+"/internal/bench"].XTestImports = []string{root + "/internal/unlisted"}
		}, []string{"internal/bench of a nested module imports internal/unlisted"}},
		{"other build tags", func(g *graph) {
			g.add(&pkg{ImportPath: root + "/dsql", Module: &module{Path: root}, Imports: []string{root + "/route"}})
		}, []string{"dsql imports route"}},
		{"direct requirement", func(g *graph) {
			g.requires = append(g.requires, requirement{Path: "example.org/heavy"})
		}, []string{"the root go.mod requires example.org/heavy"}},
		{"transitive module required directly", func(g *graph) {
			g.requires = append(g.requires, requirement{Path: "golang.org/x/sys"})
		}, []string{"the root go.mod requires golang.org/x/sys"}},
		{"nothing listed", func(g *graph) { clear(g.packages) }, []string{
			"no package envelope in the listing: nothing was checked",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := workspace(tt.change).check(); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestOwnCountsWorkspacePackagesOnly(t *testing.T) {
	if got, want := workspace(nil).own(), 11; got != want {
		t.Errorf("got %d packages, want %d", got, want)
	}
}
