package judge

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strings"
)

// detail ends the part of a line that makes differences the same one.
const detail = " = "

// differ tells how two verdicts differ, a line each difference; list indexes are
// left out of the lines, so that one pattern of differences.txt fits many.
func differ(one *sample, server, yumen *verdict) []string {
	var lines []string
	say := func(format string, args ...any) {
		lines = append(lines, one.kind.name+" "+fmt.Sprintf(format, args...))
	}
	if server.admitted != yumen.admitted {
		if server.admitted {
			say("refused by yumen only: %s", words(yumen))
		} else {
			say("refused by server only: %s", words(server))
		}
		return lines
	}
	compareFaults(server, yumen, say)
	compareUnknown(server, yumen, say)
	if server.admitted && server.stored != nil && yumen.stored != nil {
		native := one.kind.crd == nil
		if one.kind.name == "Secret" {
			redact(server.stored)
		}
		compareStored("", writers(server.stored, native), writers(yumen.stored, native), say)
	}
	return lines
}

var index = regexp.MustCompile(`\[\d+\]`)

func plain(path string) string { return index.ReplaceAllString(path, "[]") }

func words(v *verdict) string {
	var paths, all []string
	for path := range v.faults {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for i, path := range paths {
		all = append(all, v.faults[path])
		paths[i] = plain(path)
	}
	return strings.Join(paths, ", ") + detail + strings.Join(all, ", ") + v.message
}

func compareFaults(server, yumen *verdict, say func(string, ...any)) {
	if server.decoding {
		compareDecoding(server, yumen, say)
		return
	}
	for path, what := range server.faults {
		if yumen.faults[path] != "" {
			continue
		}
		if below := pathBelow(path, yumen.faults, server.faults); below != "" {
			say("path below: server %s, yumen %s"+detail+"%s", plain(path), plain(below), what)
		} else {
			say("path of server only: %s"+detail+"%s", plain(path), what)
		}
	}
	said := "path of yumen only"
	if givesOut(server) {
		said = "path of yumen only, the server having stopped"
	}
	for path, what := range yumen.faults {
		if server.faults[path] == "" && pathAbove(path, server.faults, yumen.faults) == "" {
			say(said+": %s"+detail+"%s", plain(path), what)
		}
	}
}

var givenOut = regexp.MustCompile(`^spec\.(clusterIPs|ipFamilies|ipFamilyPolicy|ports\[\d+\]\.nodePort)\b`)

// givesOut: the server gives out a Service's addresses and ports before it looks at
// the rest, and tells only why it could not.
func givesOut(server *verdict) bool {
	for path := range server.faults {
		if !givenOut.MatchString(path) {
			return false
		}
	}
	return len(server.faults) > 0
}

// compareDecoding: the server's decoder stops at the first field that it cannot
// decode, and names it without places in lists and keys of maps, or not at all.
func compareDecoding(server, yumen *verdict, say func(string, ...any)) {
	for path, what := range server.faults {
		found := false
		for own := range yumen.faults {
			found = found || isBelow(index.ReplaceAllString(own, ""), path) || index.ReplaceAllString(own, "") == path
		}
		if !found {
			say("path of decoding: %s"+detail+"%s; yumen: %s", path, what, words(yumen))
		}
	}
}

func isBelow(path, above string) bool {
	return above == "" || strings.HasPrefix(path, above+".") || strings.HasPrefix(path, above+"[")
}

// pathBelow finds one of yumen's own paths under a path that only the server has.
func pathBelow(path string, own, others map[string]string) string {
	for one := range own {
		if isBelow(one, path) && others[one] == "" {
			return one
		}
	}
	return ""
}

func pathAbove(path string, others, own map[string]string) string {
	for one := range others {
		if isBelow(path, one) && own[one] == "" {
			return "above"
		}
	}
	return ""
}

// compareUnknown: where the server's decoder stops, it has not seen all.
func compareUnknown(server, yumen *verdict, say func(string, ...any)) {
	for path := range server.unknown {
		switch {
		case yumen.unknown[path]:
		case isBelowAny(path, yumen.faults):
			say("unknown of server only, below a wrong type: %s", plain(path))
		default:
			say("unknown of server only: %s", plain(path))
		}
	}
	for path := range yumen.unknown {
		if !server.unknown[path] && !server.decoding {
			say("unknown of yumen only: %s", plain(path))
		}
	}
}

func isBelowAny(path string, faults map[string]string) bool {
	for one := range faults {
		if isBelow(path, one) {
			return true
		}
	}
	return false
}

// writers is what the writer of an object says: without what a server sets by itself at
// creation, and without status. What is of Go's types (native kinds, all metadata) does
// not tell the empty from the absent.
func writers(stored object, native bool) object {
	out := object{}
	for key, value := range stored {
		if key != "status" && (!native || !isEmpty(value)) {
			out[key] = value
		}
	}
	if native {
		out = withoutEmpty(out).(object)
	}
	metadata, _ := stored["metadata"].(object)
	kept := object{}
	for key, value := range metadata {
		switch key {
		case "uid", "creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink",
			"namespace", "deletionTimestamp", "deletionGracePeriodSeconds":
		default:
			kept[key] = value
		}
	}
	out["metadata"] = withoutEmpty(kept)
	return out
}

// redact shows the server's Secret as yumen shows one.
func redact(secret object) {
	data, _ := secret["data"].(object)
	for key, value := range data {
		text, _ := value.(string)
		bytes, _ := base64.StdEncoding.DecodeString(text)
		data[key] = fmt.Sprintf("sha256:%x", sha256.Sum256(bytes))
	}
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case object:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return value == nil
}

func withoutEmpty(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for key, one := range v {
			if one = withoutEmpty(one); !isEmpty(one) {
				out[key] = one
			}
		}
		return out
	case []any:
		out := []any{}
		for _, one := range v {
			out = append(out, withoutEmpty(one))
		}
		return out
	}
	return value
}

func compareStored(path string, server, yumen any, say func(string, ...any)) {
	switch s := server.(type) {
	case object:
		if y, ok := yumen.(object); ok {
			compareMaps(path, s, y, say)
			return
		}
	case []any:
		if y, ok := yumen.([]any); ok && len(s) == len(y) {
			for i := range s {
				compareStored(path+"[]", s[i], y[i], say)
			}
			return
		}
	}
	if !reflect.DeepEqual(server, yumen) {
		say("stored: %s"+detail+"server %s, yumen %s", path, short(server), short(yumen))
	}
}

func compareMaps(path string, server, yumen object, say func(string, ...any)) {
	for key, value := range server {
		if other, ok := yumen[key]; ok {
			compareStored(join(path, key), value, other, say)
		} else {
			say("stored by server only: %s"+detail+"%s", join(path, key), short(value))
		}
	}
	for key, value := range yumen {
		if _, ok := server[key]; !ok {
			say("stored by yumen only: %s"+detail+"%s", join(path, key), short(value))
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func short(value any) string {
	text, _ := json.Marshal(value)
	if len(text) > 100 {
		text = append(text[:100], "..."...)
	}
	return string(text)
}

// listed is the differences that are known, each with its reason.
type listed struct {
	rows []listedRow
}

type listedRow struct {
	pattern *regexp.Regexp
	reason  string
	matched int
}

// readListed reads lines of PATTERN -- REASON; what begins with # is for people.
func readListed(path string) (*listed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	list := &listed{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		pattern, reason, ok := strings.Cut(lines.Text(), " -- ")
		if !ok {
			return nil, fmt.Errorf("%s:%d: no reason", path, number)
		}
		compiled, err := regexp.Compile("^(?:" + pattern + ")")
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		list.rows = append(list.rows, listedRow{pattern: compiled, reason: reason})
	}
	return list, lines.Err()
}

// counts tells how often each row was met so far.
func (l *listed) counts() []int {
	var counts []int
	for _, row := range l.rows {
		counts = append(counts, row.matched)
	}
	return counts
}

func (l *listed) has(line string) bool {
	for i := range l.rows {
		if l.rows[i].pattern.MatchString(line) {
			l.rows[i].matched++
			return true
		}
	}
	return false
}
