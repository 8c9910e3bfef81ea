package servers

import (
	"context"
	"embed"
	"os"
	"os/exec"
	"path/filepath"
)

// packages are npm projects without code; their dependencies are an installation. The lock files name no registry: which one
// is asked is the user's setting, and the checksums say that it gave the right thing.
//
//go:embed npm/*/package.json npm/*/package-lock.json
var packages embed.FS

func findNode() (string, error) { return exec.LookPath("node") }

func findNPM() (string, error) { return exec.LookPath("npm") }

// nodeModules returns the folder that holds, in a folder named node_modules, the dependencies of npm/<name>/package.json.
func nodeModules(ctx context.Context, name string) (string, error) {
	files := []string{"package.json", "package-lock.json"}
	var texts [][]byte
	var recipe string
	for _, file := range files {
		text, err := packages.ReadFile("npm/" + name + "/" + file)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
		recipe += string(text)
	}
	return cached(name, recipe, func(dir string) error {
		npm, err := ensure(ctx, findNPM, "npm", "nodejs")
		if err != nil {
			return err
		}
		for i, file := range files {
			if err := os.WriteFile(filepath.Join(dir, file), texts[i], 0o644); err != nil {
				return err
			}
		}
		return output(ctx, nil, npm, "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	})
}
