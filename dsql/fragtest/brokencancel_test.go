package fragtest

import (
	"context"
	"errors"

	"github.com/rowdelta/rowdelta/dsql"
)

var brokenContexts = map[string]brokenStore{
	"a cause of its own":   interrupted(func(context.Context) error { return errors.New("request cancelled") }),
	"cancelled is missing": interrupted(func(ctx context.Context) error { return errors.Join(ctx.Err(), dsql.ErrIncomplete) }),
	"cancelled conflicts":  interrupted(func(ctx context.Context) error { return errors.Join(ctx.Err(), dsql.ErrConflict) }),
	"cancelled, a new text has a cause of its own": put("CancelledPut", func(c call) error {
		if _, ok := c.first(c.index); c.ctx.Err() != nil && !ok {
			return errors.New("request cancelled")
		}
		return c.keep()
	}),
	"cancelled, a repeat has a cause of its own": put("CancelledPut", func(c call) error {
		if _, ok := c.first(c.index); c.ctx.Err() != nil && ok {
			return errors.New("request cancelled")
		}
		return c.keep()
	}),
	"cancelled Put says it worked": put("CancelledPut", func(c call) error {
		if c.ctx.Err() != nil {
			return nil
		}
		return c.keep()
	}),
	"cancelled Put leaves a half": put("CancelledPut", func(c call) error {
		if c.ctx.Err() != nil {
			c.overwrite(c.plain()[:3])
			return c.ctx.Err()
		}
		return c.keep()
	}),
	"cancelled Join without dst": join("CancelledJoin", func(c call) ([]byte, error) {
		if c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		return c.append()
	}),
	"cancelled Join forgets": join("CancelledJoin", func(c call) ([]byte, error) {
		if c.ctx.Err() != nil {
			return c.dst, errors.Join(c.ctx.Err(), c.drop())
		}
		return c.append()
	}),
	"cancelled Join says it worked": join("CancelledJoin", func(c call) ([]byte, error) {
		if c.ctx.Err() != nil {
			return c.dst, nil
		}
		return c.append()
	}),
	"cancelled Forget says it worked": forget("CancelledForget", func(c call) error {
		if c.ctx.Err() != nil {
			return nil
		}
		return c.drop()
	}),
	"cancelled Forget drops others": forget("CancelledForget", func(c call) error {
		if c.ctx.Err() != nil {
			return errors.Join(c.ctx.Err(), c.dropFunc(func(id string) bool { return id != c.id }))
		}
		return c.drop()
	}),
	"cancelled Forget spoils": forget("CancelledForget", func(c call) error {
		if c.ctx.Err() != nil {
			c.overwrite("spoilt")
			return c.ctx.Err()
		}
		return c.drop()
	}),
}

// interrupted has all calls whose context is over fail with cause.
func interrupted(cause func(context.Context) error) brokenStore {
	return with("CancelledPut CancelledJoin CancelledForget", func(s *store) {
		s.put = func(c call) error {
			if c.ctx.Err() != nil {
				return cause(c.ctx)
			}
			return c.keep()
		}
		s.join = func(c call) ([]byte, error) {
			if c.ctx.Err() != nil {
				return c.dst, cause(c.ctx)
			}
			return c.append()
		}
		s.forget = func(c call) error {
			if c.ctx.Err() != nil {
				return cause(c.ctx)
			}
			return c.drop()
		}
	})
}
