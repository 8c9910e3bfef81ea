package truth_test

// fillings are the columns of final changes that came with the placeholder: all
// changes in one batch, in batches of 100 and in batches of one.
//
// What is unknown to the sink at the end is of rows whose key was changed, where
// the batch ends between the delete of the old one and the create of the new one.
var fillings = map[string][3]filling{
	"postgres/clock-back":             {{64, 0, 0}, {45, 408, 0}, {0, 675, 30}},
	"postgres/concurrent":             {{52, 0, 0}, {82, 1243, 0}, {0, 2009, 21}},
	"postgres/concurrent-2.7.3":       {{42, 0, 0}, {46, 634, 2}, {0, 1053, 20}},
	"postgres/crash-resnapshot":       {{33, 0, 0}, {38, 313, 0}, {0, 559, 13}},
	"postgres/crash-restart":          {{44, 0, 0}, {35, 362, 2}, {0, 601, 22}},
	"postgres/crash-restart-2.7.3":    {{63, 0, 0}, {39, 476, 1}, {0, 768, 27}},
	"postgres/crash-restart-far":      {{50, 0, 0}, {38, 416, 0}, {0, 693, 22}},
	"postgres/incremental-snapshot":   {{30, 0, 0}, {45, 338, 0}, {0, 676, 10}},
	"postgres/pk-moves":               {{9, 0, 0}, {9, 0, 0}, {0, 11, 9}},
	"postgres/pk-moves-2.7.3":         {{9, 0, 0}, {9, 0, 0}, {0, 11, 9}},
	"postgres/promoted":               {{32, 0, 0}, {6, 155, 0}, {0, 241, 12}},
	"postgres/promoted-later":         {{36, 0, 0}, {15, 215, 0}, {0, 327, 15}},
	"postgres/resnapshot":             {{31, 0, 0}, {13, 184, 0}, {0, 310, 8}},
	"postgres/restored":               {{34, 0, 0}, {3, 167, 0}, {0, 251, 14}},
	"postgres/toast-2.7.3":            {{21, 0, 0}, {21, 0, 0}, {1, 829, 18}},
	"postgres/toast-base64":           {{20, 0, 0}, {20, 0, 0}, {1, 802, 17}},
	"postgres/toast-base64url":        {{20, 0, 0}, {20, 0, 0}, {1, 802, 17}},
	"postgres/toast-bytes":            {{22, 0, 0}, {22, 0, 0}, {1, 886, 19}},
	"postgres/toast-bytes-bare":       {{22, 0, 0}, {22, 0, 0}, {1, 886, 19}},
	"postgres/toast-hex":              {{21, 0, 0}, {21, 0, 0}, {1, 842, 18}},
	"postgres/toast-placeholder-hex":  {{20, 0, 0}, {20, 0, 0}, {0, 885, 19}},
	"postgres/toast-placeholder-text": {{20, 0, 0}, {20, 0, 0}, {0, 885, 19}},

	// Values of the database that look like the placeholder. The sink has them as
	// they are.
	"mariadb/types-default":       {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mariadb/types-default-bare":  {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mariadb/types-iso":           {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mariadb/types-string":        {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mariadb/types-zone":          {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mysql/types-default":         {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mysql/types-default-bare":    {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"mysql/types-string":          {{0, 2, 0}, {0, 2, 0}, {0, 2, 0}},
	"postgres/types-1.9.7":        {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-2.7.3":        {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-double":       {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-isostring":    {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-microseconds": {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-nanoseconds":  {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-precise":      {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-precise-bare": {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
	"postgres/types-string":       {{2, 10, 0}, {2, 10, 0}, {0, 15, 0}},
}

// largeValues are the columns of large values, all changes in one batch.
var largeValues = map[string]large{
	"postgres/toast-2.7.3":      {65, 10, 2},
	"postgres/toast-base64":     {65, 11, 2},
	"postgres/toast-base64url":  {65, 11, 2},
	"postgres/toast-bytes":      {65, 9, 2},
	"postgres/toast-bytes-bare": {65, 9, 2},
	"postgres/toast-hex":        {65, 10, 2},

	// The connector's placeholder is one that no value looks like.
	"postgres/toast-placeholder-hex":  {65, 9, 0},
	"postgres/toast-placeholder-text": {65, 9, 0},
}
