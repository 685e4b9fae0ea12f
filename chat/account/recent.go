package account

import "container/list"

// recent remembers a V for each of the keys that were used last. It is not safe for concurrent use.
type recent[K comparable, V any] struct {
	max   int
	byKey map[K]*list.Element
	order list.List // Of *item[K, V], the last used first.
}

type item[K comparable, V any] struct {
	key K
	val V
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{max: most, byKey: make(map[K]*list.Element)}
}

// use returns the value of key, a zero one if it is not remembered. When there are too many, those that are longest not used
// are forgotten, unless busy says that somebody works with them.
func (r *recent[K, V]) use(key K, busy func(*V) bool) *V {
	if el := r.byKey[key]; el != nil {
		r.order.MoveToFront(el)
		return &el.Value.(*item[K, V]).val
	}
	for el := r.order.Back(); el != nil && len(r.byKey) >= r.max; {
		older := el.Prev()
		if it := el.Value.(*item[K, V]); !busy(&it.val) {
			delete(r.byKey, it.key)
			r.order.Remove(el)
		}
		el = older
	}
	it := &item[K, V]{key: key}
	r.byKey[key] = r.order.PushFront(it)
	return &it.val
}

// peek returns the value of key, or nil if it is not remembered, and does not count as a use.
func (r *recent[K, V]) peek(key K) *V {
	if el := r.byKey[key]; el != nil {
		return &el.Value.(*item[K, V]).val
	}
	return nil
}
