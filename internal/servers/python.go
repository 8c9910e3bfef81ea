package servers

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pythonFiles are the requirements of installations and the programs that run in them. Requirements name every package with its version;
// which registry is asked is the user's setting.
//
//go:embed python/*.txt python/*.py
var pythonFiles embed.FS

// isolated has Python see its installation alone, without the user's packages and PYTHON variables.
const isolated = "-I"

// findPython returns a Python that can make virtual environments, which Debian's cannot without python3-venv.
func findPython() (string, error) {
	path, err := exec.LookPath("python3")
	if err != nil {
		return "", err
	}
	// The program itself: what is on the PATH may be a script that chooses one by the current folder.
	b, err := exec.Command(path, isolated, "-c", "import sys, venv, ensurepip; print(sys.executable)").Output()
	if err != nil {
		return "", fmt.Errorf("%s cannot make virtual environments: %w", path, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// venv returns the folder of a virtual environment with the packages of python/<name>.txt. If there is a
// python/<name>_finish.py, it runs last, with the folder for an argument.
func venv(ctx context.Context, name string) (string, error) {
	requirements, err := pythonFiles.ReadFile("python/" + name + ".txt")
	if err != nil {
		return "", err
	}
	finish, err := pythonFiles.ReadFile("python/" + name + "_finish.py")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	python, err := program(ctx, findPython, "python3", "python3-venv")
	if err != nil {
		return "", err
	}
	// Packages are installed for one version of Python, and the environment has a link to its program.
	version, err := exec.CommandContext(ctx, python, "--version").Output()
	if err != nil {
		return "", err
	}
	recipe := strings.Join([]string{string(requirements), string(finish), python, string(version)}, "\n")
	return cached(name, recipe, func(dir string) error {
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, requirements, 0o644); err != nil {
			return err
		}
		if err := output(ctx, nil, python, isolated, "-m", "venv", dir); err != nil {
			return err
		}
		// Not the script pip: its first line names the folder, which is going to be renamed. Wheels only: a package that
		// had to be compiled would want a compiler and run code of its own.
		own := filepath.Join(dir, "bin", "python")
		err := output(ctx, nil, own, isolated, "-m", "pip", "--disable-pip-version-check", "--no-input",
			"install", "--quiet", "--no-deps", "--only-binary=:all:", "-r", list)
		if err != nil || finish == nil {
			return err
		}
		return output(ctx, nil, own, isolated, "-c", string(finish), dir)
	})
}

// RunPython runs a program where DuckDB 1.5.5, its extensions iceberg and avro, pyiceberg 0.12.0 and PyArrow are installed,
// in a new folder that is the current and the home folder, with args in sys.argv[1:]. It returns what the program
// prints. A program that fails is an error with the end of its stderr.
//
// DuckDB finds the two extensions by name, so that INSTALL does nothing and LOAD works without a network.
func RunPython(tb testing.TB, text string, args ...string) (string, error) {
	tb.Helper()
	env, err := venv(tb.Context(), "readers")
	if err != nil {
		tb.Fatal(err)
	}
	dir := scratch(tb)
	if err := os.Symlink(filepath.Join(env, ".duckdb"), filepath.Join(dir, ".duckdb")); err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(dir, "program.py") // a file, so that an error's traceback shows its lines
	write(tb, path, text)
	ctx, cancel := context.WithTimeout(tb.Context(), answerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(env, "bin", "python"), append([]string{isolated, path}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		return string(stdout), fmt.Errorf("python: %w\n%s", err, last(stderr.Bytes()))
	}
	return string(stdout), nil
}
