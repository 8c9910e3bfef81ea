// Command guard checks what the packages of this repository may import and what the root module may require.
//
//	go run ./.ci/guard
//
// An importer of the core must never download what only a nested module needs, and the arrows between the packages
// go one way. The compiler refuses cycles, but it does not refuse a heavy dependency or a sideways import.
// It prints one line for each violation and exits with status 1 if there is one.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	g, err := load()
	if err != nil {
		fmt.Fprintln(os.Stderr, "guard:", err)
		os.Exit(1)
	}
	violations := g.check()
	for _, v := range violations {
		fmt.Fprintln(os.Stderr, "guard:", v)
	}
	if len(violations) > 0 {
		os.Exit(1)
	}
	fmt.Printf("guard: %d packages of %d modules keep the rules\n", g.own(), len(g.modules))
}

// load asks the go command for the workspace: its modules, all packages they need with and without the tag of
// the server tests, and the requirements of the root module.
func load() (*graph, error) {
	g := &graph{packages: map[string]*pkg{}}
	err := goList(func(d *json.Decoder) error {
		var m module
		if err := d.Decode(&m); err != nil {
			return err
		}
		g.modules = append(g.modules, m.Path)
		return nil
	}, "list", "-m", "-json=Path")
	if err != nil {
		return nil, err
	}
	// One listing shows one choice of build tags; a file under a tag may import what the others do not.
	for _, tags := range []string{"", "servers"} {
		err := goList(func(d *json.Decoder) error {
			var p pkg
			if err := d.Decode(&p); err != nil {
				return err
			}
			g.add(&p)
			return nil
		}, "list", "-deps", "-tags="+tags, "-json=ImportPath,Standard,Module,Imports,TestImports,XTestImports", "work")
		if err != nil {
			return nil, err
		}
	}
	err = goList(func(d *json.Decoder) error {
		var f struct{ Require []requirement }
		if err := d.Decode(&f); err != nil {
			return err
		}
		g.requires = append(g.requires, f.Require...)
		return nil
	}, "mod", "edit", "-json")
	return g, err
}

// goList runs the go command and calls decode until its output, a row of JSON values, is at its end.
func goList(decode func(*json.Decoder) error, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go %v: %w", args, err)
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		switch err := decode(d); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("go %v: %w", args, err)
		}
	}
}
