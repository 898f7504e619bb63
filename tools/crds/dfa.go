package main

import (
	"fmt"
	"regexp/syntax"
	"sort"
	"unicode/utf8"
)

// dfa is a deterministic automaton over bytes that says what Go's regexp (and so an
// API server) says of a valid UTF-8 text. State 0 is dead; those from accepting on
// accept.
type dfa struct {
	classes   [256]byte // of bytes that every state treats alike
	columns   int
	next      [][]int // [state][class]
	start     int
	accepting int
}

// A byte edge of the automaton before it is made deterministic.
type edge struct {
	low, high byte
	to        int
}

type nfa struct {
	edges [][]edge
	empty [][]int // at any place
	first [][]int // at the text's beginning only
	last  [][]int // at its end only
	match int
}

func (n *nfa) state() int {
	n.edges = append(n.edges, nil)
	n.empty = append(n.empty, nil)
	n.first = append(n.first, nil)
	n.last = append(n.last, nil)
	return len(n.edges) - 1
}

func compile(pattern string) (*dfa, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	n := &nfa{}
	for range program.Inst {
		n.state()
	}
	for at := range program.Inst {
		if err := n.instruction(program, at); err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		}
	}
	// A match may begin anywhere, and whatever follows it does not undo it.
	start := n.state()
	n.empty[start] = append(n.empty[start], program.Start)
	n.edges[start] = append(n.edges[start], edge{0, 255, start})
	n.edges[n.match] = append(n.edges[n.match], edge{0, 255, n.match})
	return minimize(n.determine(start)), nil
}

func (n *nfa) instruction(program *syntax.Prog, at int) error {
	in := &program.Inst[at]
	switch in.Op {
	case syntax.InstMatch:
		n.match = at
	case syntax.InstAlt, syntax.InstAltMatch:
		n.empty[at] = append(n.empty[at], int(in.Out), int(in.Arg))
	case syntax.InstCapture, syntax.InstNop:
		n.empty[at] = append(n.empty[at], int(in.Out))
	case syntax.InstEmptyWidth:
		switch syntax.EmptyOp(in.Arg) {
		case syntax.EmptyBeginText:
			n.first[at] = append(n.first[at], int(in.Out))
		case syntax.EmptyEndText:
			n.last[at] = append(n.last[at], int(in.Out))
		default:
			return fmt.Errorf("an assertion other than ^ and $")
		}
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		for _, r := range runes(in) {
			n.bytes(at, r[0], r[1], int(in.Out))
		}
	}
	return nil
}

// runes lists the ranges that an instruction takes.
func runes(in *syntax.Inst) [][2]rune {
	var ranges [][2]rune
	switch in.Op {
	case syntax.InstRuneAny:
		return [][2]rune{{0, utf8.MaxRune}}
	case syntax.InstRuneAnyNotNL:
		return [][2]rune{{0, '\n' - 1}, {'\n' + 1, utf8.MaxRune}}
	}
	if len(in.Rune) == 1 && syntax.Flags(in.Arg)&syntax.FoldCase == 0 {
		return [][2]rune{{in.Rune[0], in.Rune[0]}}
	}
	if len(in.Rune) == 1 {
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if in.MatchRune(r) {
				ranges = append(ranges, [2]rune{r, r})
			}
		}
		return ranges
	}
	for i := 0; i < len(in.Rune); i += 2 {
		ranges = append(ranges, [2]rune{in.Rune[i], in.Rune[i+1]})
	}
	return ranges
}

// bytes adds the UTF-8 forms of a range of runes, as chains of byte edges.
func (n *nfa) bytes(from int, low, high rune, to int) {
	for _, last := range []rune{0x7f, 0x7ff, 0xffff} {
		if low <= last && last < high {
			n.bytes(from, low, last, to)
			n.bytes(from, last+1, high, to)
			return
		}
	}
	if high <= 0x7f {
		n.edges[from] = append(n.edges[from], edge{byte(low), byte(high), to})
		return
	}
	// Where the ends differ within a lower byte, the range is cut there.
	for shift := uint(6); shift < 24; shift += 6 {
		mask := rune(1)<<shift - 1
		if low&^mask == high&^mask {
			break
		}
		if low&mask != 0 {
			n.bytes(from, low, low|mask, to)
			n.bytes(from, (low|mask)+1, high, to)
			return
		}
		if high&mask != mask {
			n.bytes(from, low, (high&^mask)-1, to)
			n.bytes(from, high&^mask, high, to)
			return
		}
	}
	a, b := encode(low), encode(high)
	for i := range a {
		next := to
		if i+1 < len(a) {
			next = n.state()
		}
		n.edges[from] = append(n.edges[from], edge{a[i], b[i], next})
		from = next
	}
}

// encode is UTF-8 that also takes surrogates, so that ranges have no hole.
func encode(r rune) []byte {
	switch {
	case r <= 0x7ff:
		return []byte{0xc0 | byte(r>>6), 0x80 | byte(r&0x3f)}
	case r <= 0xffff:
		return []byte{0xe0 | byte(r>>12), 0x80 | byte(r>>6&0x3f), 0x80 | byte(r&0x3f)}
	}
	return []byte{0xf0 | byte(r>>18), 0x80 | byte(r>>12&0x3f), 0x80 | byte(r>>6&0x3f), 0x80 | byte(r&0x3f)}
}

// closure follows edges that take no byte.
func (n *nfa) closure(states []int, first, last bool) []int {
	seen := map[int]bool{}
	var all []int
	var visit func(at int)
	visit = func(at int) {
		if seen[at] {
			return
		}
		seen[at] = true
		all = append(all, at)
		for _, to := range n.empty[at] {
			visit(to)
		}
		for _, to := range n.first[at] {
			if first {
				visit(to)
			}
		}
		for _, to := range n.last[at] {
			if last {
				visit(to)
			}
		}
	}
	for _, at := range states {
		visit(at)
	}
	sort.Ints(all)
	return all
}

// A machine is a dfa whose states are in the order they were found.
type machine struct {
	next   [][256]int
	accept []bool
}

func (n *nfa) determine(start int) *machine {
	m := &machine{}
	index := map[string]int{}
	var sets [][]int
	add := func(set []int, first bool) int {
		key := fmt.Sprint(first, set)
		if at, known := index[key]; known {
			return at
		}
		accept := false
		for _, at := range n.closure(set, first, true) {
			accept = accept || at == n.match
		}
		index[key] = len(sets)
		sets = append(sets, set)
		m.next = append(m.next, [256]int{})
		m.accept = append(m.accept, accept)
		return len(sets) - 1
	}
	add(nil, false)
	add(n.closure([]int{start}, true, false), true)
	for at := 1; at < len(sets); at++ {
		for c := 0; c < 256; c++ {
			var to []int
			for _, from := range sets[at] {
				for _, e := range n.edges[from] {
					if int(e.low) <= c && c <= int(e.high) {
						to = append(to, e.to)
					}
				}
			}
			m.next[at][c] = add(n.closure(to, false, false), false)
		}
	}
	return m
}

// minimize joins states that no text tells apart (Moore), numbers them with those
// that accept last, and bytes by class.
func minimize(m *machine) *dfa {
	group := make([]int, len(m.next))
	for at, accept := range m.accept {
		if accept {
			group[at] = 1
		}
	}
	for count := 0; ; {
		index := map[string]int{}
		refined := make([]int, len(group))
		for at := range group {
			key := []byte(fmt.Sprint(group[at], ":"))
			for c := 0; c < 256; c++ {
				key = append(key, byte(group[m.next[at][c]]), byte(group[m.next[at][c]]>>8))
			}
			if _, known := index[string(key)]; !known {
				index[string(key)] = len(index)
			}
			refined[at] = index[string(key)]
		}
		group = refined
		if len(index) == count {
			break
		}
		count = len(index)
	}
	return number(m, group)
}

func number(m *machine, group []int) *dfa {
	ids := map[int]int{group[0]: 0}
	order := []int{0}
	take := func(at int) {
		if _, known := ids[group[at]]; !known {
			ids[group[at]] = len(order)
			order = append(order, at)
		}
	}
	d := &dfa{}
	for at := range group {
		if !m.accept[at] {
			take(at)
		}
	}
	d.accepting = len(order)
	for at := range group {
		take(at)
	}
	d.start = ids[group[1]]
	rows := make([][256]int, len(order))
	for i, at := range order {
		for c := 0; c < 256; c++ {
			rows[i][c] = ids[group[m.next[at][c]]]
		}
	}
	d.next = make([][]int, len(rows))
	columns := map[string]byte{}
	for c := 0; c < 256; c++ {
		key := ""
		for i := range rows {
			key += fmt.Sprint(rows[i][c], ",")
		}
		if _, known := columns[key]; !known {
			columns[key] = byte(len(columns))
			for i := range rows {
				d.next[i] = append(d.next[i], rows[i][c])
			}
		}
		d.classes[c] = columns[key]
	}
	d.columns = len(columns)
	return d
}

// matches runs the automaton, as gw/pattern.c does.
func (d *dfa) matches(text string) bool {
	state := d.start
	for i := 0; i < len(text); i++ {
		state = d.next[state][d.classes[text[i]]]
	}
	return state >= d.accepting
}
