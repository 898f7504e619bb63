#!/bin/sh
# Makes what lies in tls_stream/ anew: what a toy peer does, as the steps of
# tls_stream_fuzz.c. The first byte: 1 the toy is a server, 2 TLS 1.2 at most,
# 4 the server asks for a certificate, 8 bytes arrive in pieces.
set -eu
cd "$(dirname "$0")/tls_stream"
for form in 0 1 2 3 4 5 8 9 12 15; do
	first=$(printf '\\%03o' "$form")
	printf "$first"'\001\007\100\016\001\012\001\013' > "whole-$form"
done
for form in 0 1 2 3; do
	first=$(printf '\\%03o' "$form")
	printf "$first"'\005\020GET / HTTP/1.1\r\n\001' > "clear-before-$form"
	printf "$first"'\000\144\006\003\004data\001\007\004\001' > "clear-within-$form"
	printf "$first"'\000\310\003\003\001\001' > "flipped-hello-$form"
	printf "$first"'\001\007\040\003\005\001' > "flipped-data-$form"
	printf "$first"'\001\006\003\005hello\001\007\002\001' > "clear-after-$form"
	printf "$first"'\001\007\040\000\050\004\001' > "said-again-$form"
	printf "$first"'\000\310\013' > "cut-hello-$form"
	printf "$first"'\001\007\377\000\100\013' > "cut-data-$form"
	printf "$first"'\001\007\020\012\000\024\002\377\013' > "cut-close-$form"
	printf "$first"'\001\007\020\001\014' > "reset-$form"
	printf "$first"'\000\062\014' > "reset-in-handshake-$form"
	printf "$first"'\001\011\001\007\010\001\011\001\012\001' > "keys-$form"
	printf "$first"'\001\010\010\010\010\006\001\002\001\000\001' > "odd-records-$form"
	printf "$first"'\000\005\015\013' > "slow-$form"
	printf "$first"'\006\002\020\001\000\001\374\003\003aaaaaaaaaaa\006\002\001\001' > "own-hello-$form"
done
