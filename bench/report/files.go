package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Files below the root of the repository.
const (
	latestFile   = "bench/results/latest.json"
	detailFile   = "bench/results/detail.json"
	documentFile = "docs/performance.md"
	chartFile    = "docs/performance.svg"
)

// Markers in docs/performance.md, each on a line of its own: what stands between them is the run's, the rest is not
// touched.
const (
	beginMarker = "<!-- bench:begin -->"
	endMarker   = "<!-- bench:end -->"
)

// Save writes the report to its four places below root, the folder of the repository. The document must be there, with
// its markers; the others are made.
func (r *Report) Save(root string) error {
	document, err := os.ReadFile(filepath.Join(root, documentFile))
	if err != nil {
		return fmt.Errorf("save the report: %w", err)
	}
	document, err = Between(document, beginMarker, endMarker, r.Markdown())
	if err != nil {
		return fmt.Errorf("save the report in %s: %w", documentFile, err)
	}
	if err := r.SaveJSON(filepath.Join(root, filepath.Dir(latestFile))); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{documentFile, document}, {chartFile, r.Chart()}} {
		if err := os.WriteFile(filepath.Join(root, f.name), f.data, 0o644); err != nil {
			return fmt.Errorf("save the report: %w", err)
		}
	}
	return nil
}

// SaveJSON writes latest.json and detail.json to a folder, which is made.
func (r *Report) SaveJSON(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("save the report: %w", err)
	}
	for _, f := range []struct {
		name string
		make func() ([]byte, error)
	}{{filepath.Base(latestFile), r.Latest}, {filepath.Base(detailFile), r.Detail}} {
		data, err := f.make()
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, f.name), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("save the report: %w", err)
		}
	}
	return nil
}

// Load reads what SaveJSON wrote, so that tables and chart can be made again without measuring again. The chart's short
// names come back too.
func Load(folder string) (*Report, error) {
	var r Report
	var latest struct{ Rows []Row }
	var detail detailFormat
	for _, f := range []struct {
		name string
		into any
	}{{filepath.Base(latestFile), &latest}, {filepath.Base(detailFile), &detail}} {
		data, err := os.ReadFile(filepath.Join(folder, f.name))
		if err == nil {
			err = json.Unmarshal(data, f.into)
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", f.name, err)
		}
	}
	r = Report{
		Machine: detail.Machine, Rows: latest.Rows, Floors: detail.Floors, Measures: detail.Measures, Facts: detail.Facts,
	}
	return &r, nil
}

// Between returns the document with the text between two markers replaced; everything outside of them stays as it is.
func Between(document []byte, begin, end, text string) ([]byte, error) {
	from := bytes.Index(document, []byte(begin))
	to := bytes.Index(document, []byte(end))
	if from < 0 || to < from {
		return nil, fmt.Errorf("no line %q before a line %q", begin, end)
	}
	var b bytes.Buffer
	b.Write(document[:from+len(begin)])
	b.WriteString("\n\n" + string(bytes.TrimSpace([]byte(text))) + "\n\n")
	b.Write(document[to:])
	return b.Bytes(), nil
}

// Latest returns latest.json: the rows.
func (r *Report) Latest() ([]byte, error) {
	return indented(struct {
		Rows []Row `json:"rows"`
	}{append([]Row{}, r.Rows...)})
}

// detailFormat is detail.json.
type detailFormat struct {
	Machine  Machine   `json:"machine"`
	Floors   []Floor   `json:"noise_floor"`
	Measures []Measure `json:"measures"`
	Facts    []Fact    `json:"facts"`
}

// Detail returns detail.json: everything but the rows.
func (r *Report) Detail() ([]byte, error) {
	r = r.settled()
	return indented(detailFormat{r.Machine, r.Floors, r.Measures, r.Facts})
}

// settled returns a copy with its figures as the files keep them, so that what is made of the report and what is made
// of its files is the same.
func (r *Report) settled() *Report {
	s := &Report{
		Machine: r.Machine, Rows: append([]Row{}, r.Rows...),
		Floors: append([]Floor{}, r.Floors...), Measures: append([]Measure{}, r.Measures...), Facts: append([]Fact{}, r.Facts...),
	}
	for i := range s.Floors {
		f := &s.Floors[i]
		f.Ratio, f.Noise = rounded(Ratio, f.Ratio), rounded(Ratio, f.Noise)
	}
	for i := range s.Measures {
		m := &s.Measures[i]
		m.Ratio, m.Noise = rounded(Ratio, m.Ratio), rounded(Ratio, m.Noise)
		for _, value := range []*float64{&m.P50, &m.P99, &m.PerSecond, &m.Allocs, &m.Bytes, &m.DatabaseCPU} {
			*value = significant(*value, 4)
		}
	}
	for i := range s.Facts {
		s.Facts[i].Value = significant(s.Facts[i].Value, 4)
	}
	return s
}

func indented(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("encode the report: %w", err)
	}
	return b.Bytes(), nil
}
