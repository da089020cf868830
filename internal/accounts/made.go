package accounts

import "sync"

// insertsPerRound is how many keys the database may be asked for in one round.
const insertsPerRound = 15

// Made are the keys that the database made in one round. The zero value is
// ready; it may be used concurrently.
type Made struct {
	mu       sync.Mutex
	attempts int
	keys     map[string][]int64 // by tenant
}

// Attempt counts one insert, and returns false where there were enough of them.
func (m *Made) Attempt() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts++
	return m.attempts <= insertsPerRound
}

// Of returns a tenant's keys.
func (m *Made) Of(tenant string) []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[tenant][:len(m.keys[tenant]):len(m.keys[tenant])]
}

// Add adds the keys that an operation made.
func (m *Made) Add(tenant string, acts []Act) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range acts {
		if MadeByDatabase(a.Key) && a.Kind == ActCreate {
			if m.keys == nil {
				m.keys = map[string][]int64{}
			}
			m.keys[tenant] = append(m.keys[tenant], a.Key)
		}
	}
}
