package model

func (m *model) bypass(s *state, i int)        {}
func (m *model) writeUnfenced(s *state, i int) {}
func (m *model) keepCapture(s *state)          {}
