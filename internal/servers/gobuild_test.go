package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGo puts a go command first on the PATH that runs script.
func fakeGo(t *testing.T, script string) (log string) {
	t.Helper()
	bin := t.TempDir()
	log = filepath.Join(bin, "log")
	text := "#!/bin/sh\n{ echo \"$@\"; echo $GOBIN; echo \"$GOWORK,$GOFLAGS,$GOOS,$GOARCH,$CGO_ENABLED,$GOPROXY\"; } >>'" + log + "'\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return log
}

func TestGoProgramIsBuilt(t *testing.T) {
	root := ownCache(t)
	for name, value := range map[string]string{
		"GOWORK": "/no/go.work", "GOFLAGS": "-mod=vendor", "GOARCH": "z80", "GOOS": "cpm", "GOBIN": "/no", "CGO_ENABLED": "1", "GOPROXY": "as it was",
	} {
		t.Setenv(name, value)
	}
	log := fakeGo(t, `echo '#!/bin/sh' >"$GOBIN/gateway"; chmod +x "$GOBIN/gateway"`)
	for range 2 {
		path, err := goProgram(t.Context(), "example.org/cloud/cmd/gateway", "v1.2.3")
		if err != nil || filepath.Base(path) != "gateway" || !strings.HasPrefix(path, filepath.Join(root, "gateway-")) {
			t.Fatal(path, err)
		}
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 4 || lines[0] != "install example.org/cloud/cmd/gateway@v1.2.3" || !strings.HasPrefix(lines[1], root) ||
		lines[2] != "off,-trimpath,,,0,as it was" {
		t.Errorf("go was run with\n%s", b)
	}
	if _, err := goProgram(t.Context(), "example.org/cloud/cmd/gateway", "v1.2.4"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(log); err != nil || !strings.Contains(string(b), "@v1.2.4") {
		t.Error("another version was not built", err)
	}
}

func TestGoProgramThatCannotBeBuilt(t *testing.T) {
	root := ownCache(t)
	fakeGo(t, "echo module lookup disabled; exit 1")
	_, err := goProgram(t.Context(), "example.org/cloud/cmd/gateway", "v1.2.3")
	if err == nil || !strings.Contains(err.Error(), "module lookup disabled") || !strings.Contains(err.Error(), "exit status 1") {
		t.Error("got", err)
	}
	if left, err := filepath.Glob(filepath.Join(root, "gateway*")); err != nil || len(left) > 0 {
		t.Error("left", left, err)
	}
	fakeGo(t, ":")
	if _, err := goProgram(t.Context(), "example.org/cloud/cmd/gateway", "v1.2.3"); err == nil {
		t.Error("built without a program, but no error")
	}
}
