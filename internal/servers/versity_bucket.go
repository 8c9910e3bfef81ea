package servers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// MakeBucket makes a bucket. It is here so that a test needs no client library.
func (v *Versity) MakeBucket(name string) {
	v.tb.Helper()
	r, err := http.NewRequestWithContext(v.tb.Context(), http.MethodPut, v.Endpoint()+"/"+name, http.NoBody)
	if err != nil {
		v.tb.Fatal(err)
	}
	sign(r, "", v.Key(), v.Secret())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		v.tb.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		v.tb.Fatalf("make bucket %s: %s %s %v", name, resp.Status, b, err)
	}
}

// sign adds the signature that S3 wants (AWS4-HMAC-SHA256) to a request without query.
func sign(r *http.Request, body, key, secret string) {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	digest := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	now := time.Now().UTC().Format("20060102T150405Z")
	scope := now[:8] + "/us-east-1/s3/aws4_request"
	r.Header.Set("X-Amz-Date", now)
	r.Header.Set("X-Amz-Content-Sha256", digest(body))
	const names = "host;x-amz-content-sha256;x-amz-date"
	request := strings.Join([]string{r.Method, r.URL.EscapedPath(), "",
		"host:" + r.URL.Host, "x-amz-content-sha256:" + digest(body), "x-amz-date:" + now, "", names, digest(body)}, "\n")
	k := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		k = mac(k, part)
	}
	signature := mac(k, strings.Join([]string{"AWS4-HMAC-SHA256", now, scope, digest(request)}, "\n"))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key, scope, names, hex.EncodeToString(signature)))
}
