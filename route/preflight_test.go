package route_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rowdelta/rowdelta/envelope"
	"github.com/rowdelta/rowdelta/route"
)

func TestPreflight(t *testing.T) {
	orders := envelope.Table{DB: "shop", Schema: "public", Name: "orders"}
	items := envelope.Table{DB: "shop", Schema: "public", Name: "items"}
	good := route.Target{Source: orders, Columns: []string{"order_id", "status"}, Key: []string{"order_id"}}
	to := func(d route.Destination) route.Router {
		return &route.Rules{Tables: map[envelope.Table]route.Destination{orders: d, items: d}}
	}
	plain := to(route.Destination{Database: "lake", Table: "orders"})
	with := func(change func(*route.Target)) route.Target {
		target := good
		change(&target)
		return target
	}
	byOp := func(deletes route.Destination) route.Router {
		return route.Func(func(c *envelope.Change) (route.Destination, error) {
			if c.Effect() == envelope.Delete {
				return deletes, nil
			}
			return route.Destination{Database: "lake", Table: "log", Mode: route.AppendOnly}, nil
		})
	}
	for _, c := range []struct {
		name    string
		router  route.Router
		catalog route.Catalog
		targets []route.Target
		want    []string // one for each problem, in order
	}{
		{"fine", plain, route.S3Tables, []route.Target{good}, nil},
		{"no columns known", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Columns = nil })}, nil},
		{"no route", &route.Rules{}, route.S3Tables, []route.Target{good}, []string{"no rule for table"}},
		{"dropped", to(route.Destination{Drop: true}), route.S3Tables, []route.Target{with(func(t *route.Target) { t.Key = nil })}, nil},
		{"upper case", to(route.Destination{Database: "Lake", Table: "Orders"}), route.S3Tables, []route.Target{good}, []string{`database name "Lake"`, `table name "Orders"`}},
		{"upper case in Glue", to(route.Destination{Database: "Lake", Table: "Orders"}), route.Glue, []route.Target{good}, nil},
		{"hyphen in Glue", to(route.Destination{Database: "my-lake", Table: "orders"}), route.Glue, []route.Target{good}, []string{"no hyphen"}},
		{"hyphen", to(route.Destination{Database: "lake", Table: "or-ders"}), route.S3Tables, []route.Target{good}, []string{`table name "or-ders"`}},
		{"ends", to(route.Destination{Database: "_lake", Table: "orders_"}), route.S3Tables, []route.Target{good}, []string{`database name "_lake"`, `table name "orders_"`}},
		{"one letter", to(route.Destination{Database: "l", Table: "o"}), route.S3Tables, []route.Target{good}, nil},
		{"255", to(route.Destination{Database: "lake", Table: strings.Repeat("o", 255)}), route.S3Tables, []route.Target{good}, nil},
		{"256", to(route.Destination{Database: "lake", Table: strings.Repeat("o", 256)}), route.S3Tables, []route.Target{good}, []string{"1 to 255"}},
		{"aws", to(route.Destination{Database: "aws_lake", Table: "orders"}), route.S3Tables, []route.Target{good}, []string{"begin with aws"}},
		{"column", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Columns = []string{"order_id", "Status"} })}, []string{`column name "Status"`}},
		{"key not in table", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Key = []string{"id"} })}, []string{`key columns ["id"]`}},
		{"no key", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Key = nil })}, []string{"need a unique key"}},
		{"no key in append-only", byOp(route.Destination{Drop: true}), route.S3Tables, []route.Target{with(func(t *route.Target) { t.Key = nil })}, nil},
		{"deletes in append-only", byOp(route.Destination{Database: "lake", Table: "log", Mode: route.AppendOnly}), route.S3Tables, []route.Target{good}, []string{"cannot take deletes"}},
		{"partition", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Partition = []string{"status"} })}, []string{`partition columns ["status"]`}},
		{"partition in the image", plain, route.S3Tables, []route.Target{with(func(t *route.Target) {
			t.Partition, t.Delete = []string{"status"}, []string{"order_id", "status"}
		})}, nil},
		{"image without key", plain, route.S3Tables, []route.Target{with(func(t *route.Target) { t.Delete = []string{"status"} })}, []string{`key columns ["order_id"]`}},
		{"two sources alike", plain, route.S3Tables, []route.Target{good, with(func(t *route.Target) { t.Source = items })}, nil},
		{"two sources mixed", plain, route.S3Tables, []route.Target{good, with(func(t *route.Target) { t.Source, t.Key = items, []string{"status"} })}, []string{"shares lake.orders"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := route.Preflight(c.router, c.catalog, c.targets...)
			var got []error
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				got = joined.Unwrap()
			}
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d: %v", len(got), len(c.want), err)
			}
			for i, want := range c.want {
				if p, ok := errors.AsType[*route.Problem](got[i]); !ok || !strings.Contains(p.Error(), want) {
					t.Errorf("problem %v, want %q", got[i], want)
				}
			}
		})
	}
}
