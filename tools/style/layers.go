package main

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// A room and the rooms that it may include, lower layers only.
type room struct {
	name  string
	level int
	may   string
}

// rooms is the table of design.md; there is no other in the tree but the lists of
// libraries in the meson.build files, which follow it.
var rooms = []room{
	{"core", 0, ""},
	{"wire", 1, "core"},
	{"crypt", 1, "core"},
	{"snap", 2, "core wire crypt"},
	{"addr", 2, "core wire"},
	{"net", 2, "core crypt"},
	{"http", 3, "core wire net"},
	{"gw", 3, "core wire crypt snap addr"},
	{"kube", 4, "core wire crypt net"},
	{"admin", 4, "core wire net http"},
	{"proxy", 4, "core wire crypt snap net http"},
	{"stream", 4, "core wire crypt snap net"},
	{"announce", 4, "core wire crypt snap net"},
	{"agent", 5, "core wire crypt snap net http admin proxy announce"},
	{"ctl", 5, "core wire crypt snap addr net http gw kube admin"},
	{"cmd", 6, "core wire crypt snap addr net http gw kube admin proxy stream announce agent ctl"},
}

// pure rooms do no I/O, read no clock and do not log.
var pure = words("wire crypt snap addr gw")

// What a pure room may not include, and may not call of what it may include.
var (
	impureHeaders = words("core/log.h core/metric.h fcntl.h unistd.h poll.h dirent.h " +
		"sys/socket.h sys/epoll.h sys/eventfd.h sys/stat.h sys/random.h")
	impureCalls = words("clock_wall_ms clock_monotonic_ms clock_monotonic_ns random_init " +
		"fopen open openat read write printf fprintf puts perror getenv time gettimeofday clock_gettime")
)

// Libraries that only some files see, by the start of the header's path.
var libraries = []struct{ prefix, where string }{
	{"openssl/", "src/crypt/ src/net/tls"},
	{"pcre2.h", "src/snap/pattern.c"},
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

func roomNamed(name string) *room {
	for i := range rooms {
		if rooms[i].name == name {
			return &rooms[i]
		}
	}
	return nil
}

// includes holds a file's include lines against the table of rooms.
func includes(t *tree, f *file) []violation {
	var found []violation
	own := f.room()
	report := func(line int, format string, args ...any) {
		found = append(found, violation{f.path, line, fmt.Sprintf(format, args...)})
	}
	if own != "" && roomNamed(own) == nil {
		report(0, "room %s is not in the table of tools/style/layers.go", own)
		return found
	}
	for _, in := range f.includes {
		if in.system {
			if pure[own] && impureHeaders[in.path] {
				report(in.line, "%s is pure: no <%s>", own, in.path)
			}
			if where := libraryPlaces(in.path); own != "" && where != "" && !startsWithAny(f.path, where) {
				report(in.line, "<%s> is for %s alone", in.path, where)
			}
			continue
		}
		target := path.Dir(in.path)
		if own != "" && target == "." {
			report(in.line, "include by path: \"%s/%s\"", own, in.path)
		}
		if strings.HasSuffix(in.path, "_priv.h") && !seesPrivate(f, target) {
			report(in.line, "%s is private to room %s", in.path, target)
		}
		if own == "" || target == "." {
			continue
		}
		if target != own && !words(roomNamed(own).may)[target] {
			report(in.line, "%s may not include %s", own, target)
		}
		if pure[own] && impureHeaders[in.path] {
			report(in.line, "%s is pure: no \"%s\"", own, in.path)
		}
	}
	if own := ownHeaders(t, f); len(own) > 0 && (len(f.includes) == 0 || !own[f.includes[0].path]) {
		report(1, "own header first")
	}
	return found
}

// ownHeaders are those of a .c file's noun, public and private; the first include
// must be one of them, so that it is seen to need nothing before it.
func ownHeaders(t *tree, f *file) map[string]bool {
	own := map[string]bool{}
	if !f.isSource() || f.room() == "" {
		return own
	}
	noun := strings.TrimSuffix(f.path, ".c")
	for _, header := range []string{noun + ".h", noun + "_priv.h"} {
		if t.byPath[header] != nil {
			own[strings.TrimPrefix(header, "src/")] = true
		}
	}
	return own
}

// insiders are folders outside of src that see a room's private headers because
// they are another body of it: the simulated loop is a loop.
var insiders = map[string]string{"test/sim/": "net"}

// seesPrivate says whether f may include private headers of the folder target:
// its own, those of the room that a unit test mirrors, those of an insider.
func seesPrivate(f *file, target string) bool {
	folder := path.Dir(f.path)
	if folder == "src/"+target || folder == "test/"+target || folder == "test/unit/"+target {
		return true
	}
	return insiders[folder+"/"] == target
}

func libraryPlaces(header string) string {
	for _, l := range libraries {
		if strings.HasPrefix(header, l.prefix) {
			return l.where
		}
	}
	return ""
}

func startsWithAny(s, prefixes string) bool {
	for _, prefix := range strings.Fields(prefixes) {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// arrows are the pairs "room -> room" of includes between rooms.
func arrows(t *tree) []string {
	set := map[string]bool{}
	for _, f := range t.files {
		for _, in := range f.includes {
			if to := path.Dir(in.path); !in.system && f.room() != "" && to != f.room() && to != "." {
				set[f.room()+" -> "+to] = true
			}
		}
	}
	list := []string{}
	for arrow := range set {
		list = append(list, arrow)
	}
	sort.Strings(list)
	return list
}

// headerCycles finds headers that include each other, in whatever many steps.
func headerCycles(t *tree) []violation {
	const (
		unseen = iota
		open
		done
	)
	var found []violation
	state := map[string]int{}
	var visit func(f *file)
	visit = func(f *file) {
		state[f.path] = open
		for _, in := range f.includes {
			next := t.byPath["src/"+in.path]
			if in.system || next == nil {
				continue
			}
			switch state[next.path] {
			case open:
				found = append(found, violation{f.path, in.line,
					fmt.Sprintf("includes \"%s\", which includes this file", in.path)})
			case unseen:
				visit(next)
			}
		}
		state[f.path] = done
	}
	for _, f := range t.files {
		if f.isHeader() && state[f.path] == unseen {
			visit(f)
		}
	}
	return found
}
