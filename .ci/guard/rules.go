package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const root = "github.com/rowdelta/rowdelta"

// mayDepend lists the modules that a package of the core may need, directly or not. golang.org/x/sys is what
// segmentio/asm needs to know the processor.
var mayDepend = []string{"github.com/goccy/go-json", "github.com/segmentio/asm", "golang.org/x/sys"}

// mayRequire lists the modules that the root go.mod may require directly: two for the code and three for its tests.
var mayRequire = append([]string{
	"github.com/stretchr/testify", "github.com/google/go-cmp", "pgregory.net/rapid",
}, mayDepend[:2]...)

// middle lists the packages that share envelope and do not import one another.
var middle = []string{"route", "dsql", "dedupe", "iceberg"}

type module struct{ Path string }

type requirement struct {
	Path     string
	Indirect bool
}

// A pkg is what the rules need of one package in the output of go list.
type pkg struct {
	ImportPath   string
	Standard     bool
	Module       *module
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// A graph is the import graph of the workspace.
type graph struct {
	modules  []string
	packages map[string]*pkg
	requires []requirement
}

// add joins p to what other build tags showed of the same package.
func (g *graph) add(p *pkg) {
	old, ok := g.packages[p.ImportPath]
	if !ok {
		g.packages[p.ImportPath] = p
		return
	}
	old.Imports = append(old.Imports, p.Imports...)
	old.TestImports = append(old.TestImports, p.TestImports...)
	old.XTestImports = append(old.XTestImports, p.XTestImports...)
}

// own counts the packages of the workspace's modules.
func (g *graph) own() int {
	n := 0
	for _, p := range g.packages {
		if p.Module != nil && slices.Contains(g.modules, p.Module.Path) {
			n++
		}
	}
	return n
}

// check returns one line for each violation, sorted.
func (g *graph) check() []string {
	var out []string
	found := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if g.packages[root+"/envelope"] == nil {
		found("no package envelope in the listing: nothing was checked")
	}
	for _, r := range g.requires {
		if !r.Indirect && !slices.Contains(mayRequire, r.Path) {
			found("the root go.mod requires %s", r.Path)
		}
	}
	for _, p := range g.packages {
		switch {
		case p.Module == nil:
		case p.Module.Path == root:
			g.checkCore(p, found)
		case slices.Contains(g.modules, p.Module.Path):
			g.checkNested(p, found)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// checkCore judges a package of the root module by its dependencies and its arrows.
func (g *graph) checkCore(p *pkg, found func(string, ...any)) {
	allowed := mayDepend
	if isSuite(p.ImportPath) {
		// A conformance suite is imported by tests only; it may use what tests use.
		allowed = slices.Concat(mayDepend, mayRequire)
	}
	from := inRoot(p.ImportPath)
	for dep := range g.closure(p) {
		d := g.packages[dep]
		if d.Module == nil || d.Module.Path == root || slices.Contains(allowed, d.Module.Path) {
			continue
		}
		// What testify and rapid need in turn is theirs to choose: only a suite reaches it.
		if isSuite(p.ImportPath) && !slices.Contains(g.modules, d.Module.Path) {
			continue
		}
		found("%s depends on %s (module %s)", from, dep, d.Module.Path)
	}
	for _, imp := range p.Imports {
		d := g.packages[imp]
		if d == nil || d.Module == nil || d.Module.Path != root || imp == p.ImportPath {
			continue
		}
		to := inRoot(imp)
		switch {
		case isSuite(imp) && !isSuite(p.ImportPath):
			found("%s imports the conformance suite %s", from, to)
		case area(from) == area(to):
		case area(to) == "internal":
		case area(from) == "envelope", area(from) == "internal":
			found("%s imports %s", from, to)
		case slices.Contains(middle, area(from)) && area(to) != "envelope":
			found("%s imports %s", from, to)
		}
	}
}

// checkNested judges a package of a nested module, tests included: the root's internal packages may change without
// notice, and Go itself lets every path below the root import them.
func (g *graph) checkNested(p *pkg, found func(string, ...any)) {
	for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
		if g.moduleOf(imp) == root && area(inRoot(imp)) == "internal" {
			found("%s of a nested module imports %s", inRoot(p.ImportPath), inRoot(imp))
		}
	}
}

// moduleOf finds the workspace module of an import path by its longest prefix. The listing of dependencies does not
// tell: a package that only a test imports is not in it.
func (g *graph) moduleOf(imp string) string {
	best := ""
	for _, m := range g.modules {
		if (imp == m || strings.HasPrefix(imp, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// closure returns the import paths of everything that p imports, directly or not, as far as it was listed.
func (g *graph) closure(p *pkg) map[string]bool {
	seen := map[string]bool{}
	var visit func(*pkg)
	visit = func(q *pkg) {
		for _, imp := range q.Imports {
			if d := g.packages[imp]; d != nil && !seen[imp] {
				seen[imp] = true
				visit(d)
			}
		}
	}
	visit(p)
	return seen
}

// isSuite tells a conformance suite, such as dedupe/storetest, by its name.
func isSuite(imp string) bool { return strings.HasSuffix(path.Base(imp), "test") }

// inRoot shortens an import path to what stands after the root module's path; the root package itself is ".".
func inRoot(imp string) string {
	if imp == root {
		return "."
	}
	return strings.TrimPrefix(imp, root+"/")
}

// area is the first element of a shortened path.
func area(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}
