package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// verdict is what one of the two judges says of an object.
type verdict struct {
	admitted bool
	// faults: path of a field -> what is wrong with it.
	faults map[string]string
	// decoding is set where the judge stopped at what it could not even decode:
	// it names one field at most, without places in lists.
	decoding bool
	unknown  map[string]bool
	// message is all that was said where no field was named.
	message string
	// stored is the object as it would be kept, with defaults.
	stored object
}

/* ---- the API server ---- */

// judgeByServer creates each object without keeping it, several at a time.
func judgeByServer(s *server, samples []sample) ([]verdict, error) {
	verdicts := make([]verdict, len(samples))
	next := make(chan int)
	failures := make(chan error, len(samples))
	var workers sync.WaitGroup
	for range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range next {
				var err error
				if verdicts[i], err = s.judge(&samples[i]); err != nil {
					failures <- fmt.Errorf("%s: %w\n%s", samples[i].from, err, samples[i].bytes)
				}
			}
		}()
	}
	for i := range samples {
		next <- i
	}
	close(next)
	workers.Wait()
	select {
	case err := <-failures:
		return nil, err
	default:
		return verdicts, nil
	}
}

func (s *server) judge(one *sample) (verdict, error) {
	form := "application/yaml"
	if one.json {
		form = "application/json"
	}
	code, header, body, err := s.send("POST",
		one.kind.path(one.namespace)+"?dryRun=All&fieldValidation=Warn", form, one.bytes)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{faults: map[string]string{}, unknown: map[string]bool{}}
	for _, warning := range header.Values("Warning") {
		if path, ok := unknownField(warning); ok {
			v.unknown[path] = true
		}
	}
	switch code {
	case http.StatusCreated:
		v.admitted = true
		return v, json.Unmarshal(body, &v.stored)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return v, v.readStatus(body)
	}
	return v, fmt.Errorf("the API server says %d: %s", code, body)
}

var unknownWarning = regexp.MustCompile(`^299 \S+ "(unknown field \\"(.*)\\")"`)

func unknownField(warning string) (string, bool) {
	found := unknownWarning.FindStringSubmatch(warning)
	if found == nil {
		return "", false
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(found[2]), true
}

// goField is how Go's decoder names the field that it could not decode.
var goField = regexp.MustCompile(`Go struct field ([A-Za-z]*)\.([^ ]+) of type`)

// inText is where a message names the field that its cause does not.
var inText = regexp.MustCompile(`: "([^"]+)" must validate`)

func (v *verdict) readStatus(body []byte) error {
	var status struct {
		Message string
		Details struct {
			Causes []struct{ Reason, Message, Field string }
		}
	}
	if err := json.Unmarshal(body, &status); err != nil {
		return err
	}
	for _, cause := range status.Details.Causes {
		if strings.Contains(cause.Message, "some validation rules were not checked") {
			continue
		}
		field := strings.TrimSuffix(cause.Field, "<nil>")
		if found := inText.FindStringSubmatch(cause.Message); field == "" && found != nil {
			field = found[1]
		}
		v.faults[field] = cause.Reason + ": " + cause.Message
	}
	if len(status.Details.Causes) == 0 {
		v.decoding = true
		v.message = status.Message
		if found := goField.FindStringSubmatch(status.Message); found != nil {
			field := found[2]
			if found[1] == "ObjectMeta" && !strings.HasPrefix(field, "metadata.") {
				field = "metadata." + field
			}
			v.faults[field] = status.Message
		}
	}
	return nil
}

/* ---- yumen ---- */

// judgeByYumen checks all objects, a file each, in one process.
func judgeByYumen(samples []sample, folder string) ([]verdict, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(samples))
	for i, one := range samples {
		verdicts[i] = verdict{admitted: true, faults: map[string]string{}, unknown: map[string]bool{}}
		if err := os.WriteFile(filepath.Join(folder, fileName(i, one.json)), one.bytes, 0o644); err != nil {
			return nil, err
		}
	}
	if err := readFindings(folder, verdicts); err != nil {
		return nil, err
	}
	return verdicts, readStored(folder, verdicts)
}

func fileName(i int, isJSON bool) string {
	if isJSON {
		return fmt.Sprintf("%06d.json", i)
	}
	return fmt.Sprintf("%06d.yaml", i)
}

func fileIndex(path string) int {
	var i int
	fmt.Sscanf(filepath.Base(path), "%d", &i)
	return i
}

func runYumen(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, errors bytes.Buffer
	c := exec.CommandContext(ctx, yumen(), args...)
	c.Stdout, c.Stderr = &out, &errors
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("yumen %s: %w\n%s", strings.Join(args, " "), err, errors.String())
	}
	return out.Bytes(), nil
}

func yumen() string {
	if path := os.Getenv("YUMEN"); path != "" {
		return path
	}
	return "../../build/yumen"
}

const (
	codeRepeated = "YM0003"
	codeUnknown  = "YM0107"
)

// readFindings takes what is admission's: what refers to other objects is not.
func readFindings(folder string, verdicts []verdict) error {
	out, err := runYumen("check", "--fail-on", "never", "-o", "json", folder)
	if err != nil {
		return err
	}
	var said struct {
		Findings []struct{ File, Code, Severity, Stage, Field, Message string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return fmt.Errorf("yumen check -o json: %w", err)
	}
	for _, f := range said.Findings {
		v := &verdicts[fileIndex(f.File)]
		switch {
		case f.Stage != "syntax" && f.Stage != "admission" || f.Code == codeRepeated:
		case f.Code == codeUnknown:
			v.unknown[f.Field] = true
		case f.Severity == "error":
			v.admitted = false
			v.faults[f.Field] = f.Code + ": " + f.Message
		}
	}
	return nil
}

// readStored reads the objects as yumen would have a cluster keep them; a comment
// before each says whence it came.
func readStored(folder string, verdicts []verdict) error {
	out, err := runYumen("check", "--fail-on", "never", "-o", "yaml", folder)
	if err != nil {
		return err
	}
	if len(out) == 0 {
		return nil
	}
	for _, part := range strings.Split(string(out), "\n---\n") {
		line, _, _ := strings.Cut(strings.TrimPrefix(part, "---\n"), "\n")
		path, ok := strings.CutPrefix(line, "# Source: ")
		if !ok {
			return fmt.Errorf("yumen check -o yaml: no source in %.200q", part)
		}
		path = strings.Split(path, ":")[0]
		if err := yaml.Unmarshal([]byte(part), &verdicts[fileIndex(path)].stored); err != nil {
			return fmt.Errorf("yumen check -o yaml: %s: %w", path, err)
		}
	}
	return nil
}
