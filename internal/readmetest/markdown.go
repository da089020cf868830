// Package readmetest holds the test that keeps the README true: its Go programs compile, its commands exist with their
// flags, and its links lead somewhere. The package reads Markdown and shell just well enough for that; it runs no
// command but with --help, changes nothing and is imported by nothing.
package readmetest

import (
	"regexp"
	"strings"
	"unicode"
)

// document is a Markdown text, taken apart.
type document struct {
	blocks   []block
	links    []link
	headings []string // as anchors
}

// block is a fenced block of code.
type block struct {
	language string
	text     string
	line     int    // of its first line of code, from 1
	note     string // the HTML comment on the line before it, if any
}

// link is where a text, an image or a reference leads.
type link struct {
	target string
	line   int
}

var (
	fence      = regexp.MustCompile("^( {0,3})(```+|~~~+) *([^` ]*)[^`]*$")
	heading    = regexp.MustCompile(`^ {0,3}#{1,6} +(.*?) *#*$`)
	comment    = regexp.MustCompile(`^ *<!-- *(.*?) *-->$`)
	inlineLink = regexp.MustCompile(`\]\( *(?:<([^>]*)>|((?:[^()\s]|\([^()\s]*\))*))(?: +["'(].*?["')])? *\)`)
	reference  = regexp.MustCompile(`^ {0,3}\[[^\]]+\]: *<?([^\s>]+)`)
	attribute  = regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	inlineCode = regexp.MustCompile("``.*?``|`[^`]*`")
	linkText   = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// parse takes a Markdown text apart.
func parse(text string) document {
	var d document
	var open *block
	var mark, indent string
	var note string
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if open != nil {
			if end := strings.TrimSpace(line); strings.HasPrefix(end, mark) && strings.Trim(end, mark[:1]) == "" {
				d.blocks = append(d.blocks, *open)
				open = nil
				continue
			}
			open.text += strings.TrimPrefix(line, indent) + "\n"
			continue
		}
		if m := fence.FindStringSubmatch(line); m != nil {
			indent, mark = m[1], m[2]
			open = &block{language: m[3], line: i + 2, note: note}
			continue
		}
		d.prose(line, i+1)
		if m := comment.FindStringSubmatch(line); m != nil {
			note = m[1]
		} else if strings.TrimSpace(line) != "" {
			note = ""
		}
	}
	if open != nil { // a fence that nobody closed ends with the text
		d.blocks = append(d.blocks, *open)
	}
	return d
}

func (d *document) prose(line string, number int) {
	if m := heading.FindStringSubmatch(line); m != nil {
		d.headings = append(d.headings, anchor(m[1]))
	}
	line = inlineCode.ReplaceAllString(line, "")
	for _, pattern := range []*regexp.Regexp{inlineLink, reference, attribute} {
		for _, m := range pattern.FindAllStringSubmatch(line, -1) {
			if target := strings.Join(m[1:], ""); target != "" {
				d.links = append(d.links, link{target, number})
			}
		}
	}
}

// anchor is how GitHub names a heading in links.
func anchor(heading string) string {
	heading = linkText.ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
