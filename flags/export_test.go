package flags

// Watchers returns how many watchers the set has.
func (s *Set) Watchers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watchers)
}
