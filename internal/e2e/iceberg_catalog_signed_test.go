//go:build servers

package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rowdelta/rowdelta/iceberg/committer"
	"github.com/rowdelta/rowdelta/iceberg/committer/restcatalog"
)

// Credentials that the AWS SDK finds in the environment.
const (
	signingKey    = "AKIDEXAMPLE"
	signingSecret = "not/a+secret"
	signingToken  = "a+session/token=="
)

// verifier checks each request's signature as the catalog of S3 Tables does, and passes it on without.
type verifier struct{ checked, refused atomic.Int64 }

func (v *verifier) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	v.checked.Add(1)
	if err := verify(r, body); err != nil {
		v.refused.Add(1)
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(r)
}

// verify is AWS's description of Signature Version 4, for services other than S3, whose paths are escaped twice.
func verify(r *http.Request, body []byte) error {
	hash := func(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	if got := r.Header.Get("X-Amz-Content-Sha256"); got != hash(body) {
		return fmt.Errorf("the body's hash is %q", got)
	}
	if got := r.Header.Get("X-Amz-Security-Token"); got != signingToken {
		return fmt.Errorf("the session's token is %q", got)
	}
	moment := r.Header.Get("X-Amz-Date")
	if len(moment) != len("20060102T150405Z") {
		return fmt.Errorf("the date is %q", moment)
	}
	scope := moment[:8] + "/eu-central-1/s3tables/aws4_request"
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+signingKey+"/"+scope+", SignedHeaders=")
	names, signature, found := strings.Cut(rest, ", Signature=")
	if !ok || !found {
		return fmt.Errorf("the authorization is %q", r.Header.Get("Authorization"))
	}
	signed := strings.Split(names, ";")
	for _, name := range []string{"host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"} {
		if !slices.Contains(signed, name) {
			return errors.New("not signed: " + name)
		}
	}
	var parts []string
	for part := range strings.SplitSeq(r.URL.EscapedPath(), "/") {
		parts = append(parts, strings.ReplaceAll(url.QueryEscape(part), "+", "%20"))
	}
	lines := []string{r.Method, strings.Join(parts, "/"), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")}
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.URL.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		lines = append(lines, name+":"+strings.Join(strings.Fields(value), " "))
	}
	lines = append(lines, "", names, hash(body))
	key := []byte("AWS4" + signingSecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	text := strings.Join([]string{"AWS4-HMAC-SHA256", moment, scope, hash([]byte(strings.Join(lines, "\n")))}, "\n")
	if want := hex.EncodeToString(mac(key, text)); want != signature {
		return fmt.Errorf("the signature of %s %s is %s, want %s", r.Method, r.URL.EscapedPath(), signature, want)
	}
	return nil
}

// isSigned has a catalog that wants signatures, as that of S3 Tables does.
func (l *lake) isSigned(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", signingKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", signingSecret)
	t.Setenv("AWS_SESSION_TOKEN", signingToken)
	p, v := l.place(), new(verifier)
	at := l.catalog(nil)
	at.Region, at.Service, at.Transport = "eu-central-1", "s3tables", v
	c := p.connect(t, at, committer.Options{})
	var want ledger
	for n := range int64(2) {
		if err := c.Commit(t.Context(), want.delta(map[int64]int64{1: n + 1, n + 5: 1})); err != nil {
			t.Fatal(err)
		}
	}
	want.holds(t, c)
	if checked, refused := v.checked.Load(), v.refused.Load(); checked < 6 || refused > 0 {
		t.Errorf("%d requests were checked and %d of them refused", checked, refused)
	}
	at.Region, at.Service = "", ""
	if c, err := restcatalog.Open(t.Context(), at, committer.Options{}); err == nil || !strings.Contains(err.Error(), "hash") {
		t.Errorf("without Region: %v, %v", c, err)
	}
}
