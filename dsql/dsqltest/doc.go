// Package dsqltest generates change streams of Aurora DSQL for the tests of
// their consumers.
//
// A [Generator] changes a small model database at random, transaction by
// transaction, and delivers each change as the service does: as one record, or
// cut into a main record and fragments; to a random shard; out of order; and,
// if so configured, more than once. The [Stream] says what a consumer must make
// of it: every logical record, and the rows at the end.
//
// The database has four tables with a primary key, of one or two columns,
//
//	public.accounts        (id bigint)
//	sales.order_lines      (order_id uuid, line smallint)
//	public.documents       (path text)
//	labor.Mess "Werte"     (sensor "id" varchar, at timestamptz)
//
// and one without, public.events, if [Generator].NoPrimaryKey asks for it.
// Their columns have every type that the service's records know, with the
// values that consumers get wrong: integers beyond 2^53, numbers spelled as
// strings, infinities, characters of four bytes, escapes within escapes.
//
// All randomness comes from the seed: the same Generator gives the same stream.
//
//	stream, err := dsqltest.Generator{Seed: seed, SplitAt: 600, FragmentBytes: 50, Repeats: 0.2}.Stream()
//	…
//	for _, record := range stream.Merge(rand.New(rand.NewPCG(seed, 0))) {
//		… // feed the consumer
//	}
//	… // compare what it has with stream.Truth
package dsqltest
