//go:build servers

package servers

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// ask sends a request and returns the status and the body of the answer.
func ask(t *testing.T, v *Versity, method, path, body, secret string, header ...string) (int, string) {
	t.Helper()
	target, err := url.JoinPath(v.Endpoint(), path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	sign(r, body, v.Key(), secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestVersity(t *testing.T) {
	v := StartVersity(t)
	expect := func(v *Versity, method, path, body string, status int, want string, header ...string) {
		t.Helper()
		got, text := ask(t, v, method, path, body, v.Secret(), header...)
		if got != status || !strings.Contains(text, want) {
			t.Errorf("%s %s: %d %s, want %d and %q in it", method, path, got, text, status, want)
		}
	}
	expect(v, http.MethodGet, "bucket/key", "", 404, "NoSuchBucket")
	expect(v, http.MethodPut, "bucket", "", 200, "")
	for i, end := range []func(){func() {}, v.Kill, v.Stop} {
		end()
		v.Restart()
		first := []string{"If-None-Match", "*"}
		key := fmt.Sprint("bucket/key", i)
		expect(v, http.MethodPut, key, "first", 200, "", first...)
		expect(v, http.MethodPut, key, "second", 412, "PreconditionFailed", first...)
		for j := range i + 1 {
			expect(v, http.MethodGet, fmt.Sprint("bucket/key", j), "", 200, "first")
		}
	}
	if status, text := ask(t, v, http.MethodGet, "bucket/key0", "", "another secret"); status != 403 || !strings.Contains(text, "SignatureDoesNotMatch") {
		t.Error("a wrong signature:", status, text)
	}

	other := StartVersity(t)
	if other.Endpoint() == v.Endpoint() {
		t.Fatal("two servers with one address")
	}
	expect(other, http.MethodGet, "bucket/key0", "", 404, "NoSuchBucket")
}
