//go:build servers

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowdelta/rowdelta/internal/servers"
)

const (
	topic = "aurora.cdc.all-tables"
	// flush is how often Connect stores its position. What it wrote since then comes again after a kill.
	flush = 2 * time.Second
	// lost is how many records a kill must at least find written and not stored.
	lost  = 100
	kills = 2
)

// TestPipeline: what the library makes of the records is what the database has.
func TestPipeline(t *testing.T) {
	pg := servers.StartPostgres(t, "deadlock_timeout = 20ms")
	conn := dial(t, pg.DSN())
	exec(t, conn, schema)
	for _, tab := range tables { // for the snapshot; created_at and updated_at have defaults, all else is NULL
		exec(t, conn, fmt.Sprintf("INSERT INTO %s SELECT FROM generate_series(1, %d)", tab.name, hot+quiet))
	}
	kafka := servers.StartKafka(t)
	// The snapshot is taken under load: its rows carry a time after the moment that they show.
	work := start(t, pg.DSN())
	connect := servers.StartConnect(t, kafka, servers.Properties{"offset.flush.interval.ms": fmt.Sprint(flush.Milliseconds())},
		pg.Connector("aurora", servers.Properties{
			"topic.prefix":                         "aurora.cdc",
			"publication.name":                     "dbz_publication",
			"publication.autocreate.mode":          "filtered",
			"table.include.list":                   "public.orders,public.products",
			"decimal.handling.mode":                "string",
			"time.precision.mode":                  "adaptive_time_microseconds",
			"tombstones.on.delete":                 "false",
			"snapshot.mode":                        "initial",
			"transforms":                           "Reroute",
			"transforms.Reroute.type":              "io.debezium.transforms.ByLogicalTableRouter",
			"transforms.Reroute.topic.regex":       `aurora\.cdc\.public\.(.*)`,
			"transforms.Reroute.topic.replacement": topic,
		}))
	s := consume(t, kafka.Bootstrap(), topic)

	crash(t, connect, s, conn)
	happened(t, work.end(t))
	end := mark(t, s, conn, "the end")
	want := stored(t, conn)
	check(t, end, want)
}

// crash kills Connect in mid-stream until records were repeated often enough.
func crash(t *testing.T, connect *servers.Connect, s *stream, conn *pgx.Conn) {
	t.Helper()
	repeated := 0
	for try := 1; repeated < kills; try++ {
		if try > 3*kills {
			t.Fatalf("%d kills, and only %d made records repeat", try-1, repeated)
		}
		before := unstored(t, connect, s)
		connect.Kill()
		connect.Restart()
		after := mark(t, s, conn, fmt.Sprint("kill ", try))
		t.Logf("kill %d after %d records: %d repeated", try, len(before.records), after.repeats-before.repeats)
		if after.repeats > before.repeats {
			repeated++
		}
	}
}

// unstored returns when Connect has just stored a position in the stream and has written records since then, and is not
// about to store the next: a kill while it writes the file would cost the file, and the next start would be a new snapshot.
func unstored(t *testing.T, connect *servers.Connect, s *stream) state {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		stored := modified(t, connect.OffsetFile())
		for modified(t, connect.OffsetFile()).Equal(stored) && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
		stored = time.Now()
		// Before there is a position in the stream, a start is a new snapshot too.
		if b, err := os.ReadFile(connect.OffsetFile()); err != nil || !bytes.Contains(b, []byte(`"lsn_proc"`)) {
			continue
		}
		before, _ := s.now(t)
		now := s.until(t, "records", len(before.records), func(r []record) bool { return len(r) >= lost })
		if time.Since(stored) < flush/2 {
			return now
		}
	}
	t.Fatal("Connect stored no position in the stream")
	return state{}
}

// modified returns the time of a file that may not be there yet.
func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return time.Time{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// mark writes a row and waits until its record is there. Everything committed before it was delivered before it, and so
// were the repeats after a restart.
func mark(t *testing.T, s *stream, conn *pgx.Conn, name string) state {
	t.Helper()
	before, _ := s.now(t)
	exec(t, conn, "INSERT INTO products (product_name) VALUES ($1)", "marker: "+name)
	text := fmt.Appendf(nil, `"product_name":%q`, "marker: "+name)
	return s.until(t, name, len(before.records), func(r []record) bool {
		return slices.ContainsFunc(r, func(r record) bool { return bytes.Contains(r.value, text) })
	})
}

// check compares what the library makes of the records with the database.
func check(t *testing.T, end state, want rows) {
	t.Helper()
	defer func() {
		if t.Failed() {
			save(t, end.records)
		}
	}()
	reads, streamed, early := map[string]bool{}, 0, 0
	var read record
	for _, r := range end.records {
		switch {
		case r.op != "r":
			streamed++
			if r.time < read.time {
				early++
			}
		case reads[r.change] || read.lsn != 0 && r.lsn != read.lsn:
			t.Fatal("a second snapshot was taken: it would hide what the first one or the stream lost")
		default:
			reads[r.change], read = true, r
		}
	}
	if len(reads) == 0 || streamed == 0 {
		t.Fatalf("%d records of the snapshot, %d of the stream", len(reads), streamed)
	}
	if end.repeats == 0 {
		t.Fatal("no record was repeated: the kills tested nothing")
	}
	t.Logf("%d records: %d of the snapshot; %d streamed, %d of them repeated, %d with an earlier time than the snapshot; %d rows in the database",
		len(end.records), len(reads), streamed, end.repeats, early, len(want))

	compare(t, "newest, as delivered", end.records, newest(t, end.records), want)
	for seed := range uint64(5) {
		shuffled := slices.Clone(end.records)
		rng := rand.New(rand.NewPCG(seed, 2))
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		compare(t, fmt.Sprint("newest, shuffle ", seed), end.records, newest(t, shuffled), want)
	}
	for seed, coalesce := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		compare(t, fmt.Sprint("Firehose, coalescing ", coalesce), end.records, delivered(t, end.records, coalesce, rng), want)
	}
}

// compare fails the test for each row that is not the database's, and shows the records of the first ones.
func compare(t *testing.T, how string, records []record, got, want rows) {
	t.Helper()
	all := diff(got, want)
	if len(all) == 0 {
		t.Logf("%s: %d rows equal", how, len(got))
		return
	}
	t.Errorf("%s: %d of %d rows are wrong", how, len(all), len(want))
	for _, w := range all[:min(3, len(all))] {
		t.Logf("%s: %s\n%s", w.name, w.how, history(records, w.name))
	}
}

// history lists the records of one row as they were delivered, the last ones at the end.
func history(records []record, name string) string {
	name, id, _ := strings.Cut(name, " ")
	var lines []string
	for _, tab := range tables {
		if tab.name != name {
			continue
		}
		key := fmt.Appendf(nil, `{"%s":%s,`, tab.key, id)
		for _, r := range records {
			if bytes.HasPrefix(r.key, key) {
				lines = append(lines, fmt.Sprintf("  %d %s", r.offset, r.value))
			}
		}
	}
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
