// Package orderedmap has the map in whose type descriptions of requests are written.
package orderedmap

import (
	"iter"
	"slices"
)

// Map keeps its keys in the order in which they came.
type Map[K comparable, V any] struct {
	keys   []K
	values map[K]V
}

// New makes an empty map.
func New[K comparable, V any]() *Map[K, V] {
	return &Map[K, V]{values: map[K]V{}}
}

// Len counts the keys; a map that is nil has none.
func Len[K comparable, V any](m *Map[K, V]) int {
	if m == nil {
		return 0
	}
	return len(m.keys)
}

// Set gives a key its value.
func (m *Map[K, V]) Set(key K, value V) {
	if _, isThere := m.values[key]; !isThere {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// Get tells a key's value, and whether there is one.
func (m *Map[K, V]) Get(key K) (V, bool) {
	if m == nil {
		var none V
		return none, false
	}
	value, isThere := m.values[key]
	return value, isThere
}

// GetOrZero tells a key's value, or that of no key.
func (m *Map[K, V]) GetOrZero(key K) V {
	value, _ := m.Get(key)
	return value
}

// Delete takes a key out.
func (m *Map[K, V]) Delete(key K) {
	delete(m.values, key)
	m.keys = slices.DeleteFunc(m.keys, func(each K) bool { return each == key })
}

// KeysFromOldest goes through the keys in their order.
func (m *Map[K, V]) KeysFromOldest() iter.Seq[K] {
	return slices.Values(m.keys)
}

// FromOldest goes through the map in its order.
func (m *Map[K, V]) FromOldest() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if m == nil {
			return
		}
		for _, key := range m.keys {
			if !yield(key, m.values[key]) {
				return
			}
		}
	}
}
