package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*`)
)

// exposition reads Prometheus text format 0.0.4 strictly, and holds it against the
// conventions besides: one HELP and one TYPE before a family's samples, families in
// one piece, no series twice, names and escapes as the format has them, counters
// that end in _total and are not negative. It returns the series with their values.
func exposition(text string) (map[string]float64, error) {
	series, kinds, helps, closed := map[string]float64{}, map[string]string{}, map[string]bool{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("the last line does not end")
	}
	current := ""
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fail := func(what string) error { return fmt.Errorf("line %d: %s: %q", number+1, what, line) }
		if strings.HasPrefix(line, "# ") {
			words := strings.SplitN(line, " ", 4)
			if len(words) != 4 || !metricName.MatchString(words[2]) || words[3] == "" {
				return nil, fail("a malformed comment")
			}
			name := words[2]
			if name != current {
				if closed[name] {
					return nil, fail("a family in two pieces")
				}
				closed[current], current = true, name
			}
			switch {
			case words[1] == "HELP" && !helps[name]:
				helps[name] = true
			case words[1] == "TYPE" && kinds[name] == "" && (words[3] == "counter" || words[3] == "gauge"):
				kinds[name] = words[3]
			default:
				return nil, fail("a comment that is no HELP or TYPE, or one twice")
			}
			continue
		}
		name, labels, value, err := sample(line)
		if err != nil {
			return nil, fail(err.Error())
		}
		if name != current || !helps[name] || kinds[name] == "" {
			return nil, fail("a sample without its HELP and TYPE")
		}
		if kinds[name] == "counter" && (value < 0 || !strings.HasSuffix(name, "_total")) {
			return nil, fail("a counter that is negative or not called _total")
		}
		if _, twice := series[name+labels]; twice {
			return nil, fail("a series twice")
		}
		series[name+labels] = value
	}
	for name := range kinds {
		if !helps[name] {
			return nil, fmt.Errorf("%s has no HELP", name)
		}
	}
	return series, nil
}

// sample takes a line apart: the labels come back sorted as they stand.
func sample(line string) (name, labels string, value float64, err error) {
	end := strings.IndexAny(line, "{ ")
	if end <= 0 || !metricName.MatchString(line[:end]) {
		return "", "", 0, fmt.Errorf("a malformed name")
	}
	name, rest := line[:end], line[end:]
	if rest[0] == '{' {
		rest = rest[1:]
		seen := map[string]bool{}
		for first := true; !strings.HasPrefix(rest, "}"); first = false {
			if !first {
				if !strings.HasPrefix(rest, ",") {
					return "", "", 0, fmt.Errorf("no comma between labels")
				}
				rest = rest[1:]
			}
			label := labelName.FindString(rest)
			if label == "" || seen[label] || !strings.HasPrefix(rest[len(label):], `="`) {
				return "", "", 0, fmt.Errorf("a malformed or repeated label")
			}
			seen[label] = true
			length, err := quoted(rest[len(label)+2:])
			if err != nil {
				return "", "", 0, err
			}
			rest = rest[len(label)+2+length:]
		}
		labels, rest = line[end:len(line)-len(rest)+1], rest[1:]
	}
	if !strings.HasPrefix(rest, " ") {
		return "", "", 0, fmt.Errorf("no blank before the value")
	}
	value, err = strconv.ParseFloat(rest[1:], 64)
	return name, labels, value, err
}

// quoted is the length of a label's value with its closing quote.
func quoted(text string) (int, error) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1, nil
		case '\\':
			i++
			if i == len(text) || !strings.ContainsRune(`\"n`, rune(text[i])) {
				return 0, fmt.Errorf("an escape that there is not")
			}
		}
	}
	return 0, fmt.Errorf("a label's value does not end")
}

// The checker itself can fail.
func TestExpositionChecker(t *testing.T) {
	t.Parallel()
	head := "# HELP a_total b\n# TYPE a_total counter\n"
	good := head + "a_total 1\na_total{x=\"\\\"\\\\\\n\",y=\"\"} 2\n# HELP g b c\n# TYPE g gauge\ng -1.5\n"
	if _, err := exposition(good); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"a_total 1\n", head + "a_total 1", head + "a_total 1\na_total 2\n", head + "a_total -1\n",
		head + "a_total{x=\"\\t\"} 1\n", head + "a_total{x=\"a} 1\n", head + "a_total{x=\"a\" y=\"b\"} 1\n",
		head + "a_total{x=\"a\",x=\"b\"} 1\n", head + "a_total{1x=\"a\"} 1\n", head + "a_total{x=a} 1\n",
		head + "a_total x\n", head + "a_total\n", head + "\n", head + head, head + "a-b 1\n",
		head + "# HELP g b\n# TYPE g gauge\ng 1\na_total 1\n", "# HELP a b\n# TYPE a counter\na 1\n", "# TYPE g gauge\ng 1\n",
	} {
		if _, err := exposition(bad); err == nil {
			t.Errorf("accepted: %q", bad)
		}
	}
}

// /metrics is read strictly after traffic of all kinds, and counts it.
func TestMetricsFormat(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.write("other.yaml", routeYAML("redirect", `["b.test"]`, `  - matches: [{path: {value: /}}]
    filters: [{type: RequestRedirect, requestRedirect: {statusCode: 302, hostname: c.test}}]
`)+routeYAML("gone", `["d.test"]`, prefixRule("/", "nobody")))
	g.expect(302, "GET", "b.test", "/")
	g.expect(500, "GET", "d.test", "/")
	for i := 0; i < 5; i++ {
		g.expect(200, "GET", "a.test", "/")
	}
	raw(t, g.address(), "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
	raw(t, g.address(), "\x16\x03\x01\r\n\r\n")
	series, err := exposition(g.metrics())
	if err != nil {
		t.Fatal(err)
	}
	requests := 0.0
	for name, value := range series {
		if strings.HasPrefix(name, "yumen_http_requests_total{") && strings.Contains(name, `route="app"`) {
			requests += value
		}
	}
	if requests < 5 {
		t.Errorf("%v requests of the route are counted", requests)
	}
	if len(series) < 20 {
		t.Errorf("%d series", len(series))
	}
}
