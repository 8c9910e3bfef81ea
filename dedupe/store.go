package dedupe

import (
	"context"

	"github.com/rowdelta/rowdelta/envelope"
)

// A Store holds one mark a key: the newest version that the sink has. It knows
// nothing of the order of versions; [Filter] decides, and the store compares and
// swaps 32 bytes ([envelope.Version.AppendBinary]).
//
// Keys are any bytes of any length but none. A mark is never the zero Version,
// which stands for none. A store must be safe for concurrent use and must
// neither keep nor change the keys. A done swap must be seen by all later loads
// and swaps, of any process that shares the store, and must not be lost
// afterwards: a lost mark lets an older change in.
//
// A store that forgets marks by age has a method Floor() time.Time: some marks
// that were older may be gone, and all others are there. [Late] comes of it. It is
// the zero Time as long as all are, never goes back, and is raised before a Load
// can miss a mark.
//
// An error wraps its cause and holds no key. The call may be tried again, unless
// the cause says that the place holds something else than marks. The suite for
// implementations is package storetest.
type Store interface {
	// Load sets versions[i] to the mark of keys[i], or to the zero Version if there
	// is none. The slices have one length. The marks of different keys need not be
	// of one moment. On an error the versions mean nothing.
	Load(ctx context.Context, keys [][]byte, versions []envelope.Version) error

	// Swap makes each swap, atomically and independently of the others: if the mark
	// of its Key is Old, it becomes New and Done is set; otherwise Done is cleared
	// and nothing changes. The keys of one call are different. On an error any of
	// the swaps may have been made, and Done means nothing.
	//
	// A swap that a retry finds made already may be reported either way: the caller
	// loads the mark and finds its own version there.
	Swap(ctx context.Context, swaps []Swap) error
}

// A Swap replaces the mark of a key.
type Swap struct {
	Key      []byte
	Old, New envelope.Version // Old is zero if there must be no mark; New never is
	Done     bool             // set by Store.Swap
}
