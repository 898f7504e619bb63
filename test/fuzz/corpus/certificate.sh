#!/bin/sh
# Makes what lies in certificate/ anew: one of each kind of key and form. Their
# keys are nobody's.
set -eu
cd "$(dirname "$0")/certificate"
names='subjectAltName=DNS:a.example,DNS:*.b.example,URI:spiffe://a/b,IP:127.0.0.1,email:a@b'
make() {
	out=$1
	shift
	openssl req -x509 -subj /CN=a -days 36500 -nodes -addext "$names" \
	    -keyout key.tmp -out certificate.tmp "$@" 2>/dev/null
	cat certificate.tmp key.tmp > "$out.pem"
}
make ed25519 -newkey ed25519
openssl x509 -in certificate.tmp -outform DER -out ed25519.der
openssl pkcs8 -topk8 -nocrypt -in key.tmp -outform DER -out ed25519-key.der
openssl x509 -in certificate.tmp -text > text.pem
make p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256
openssl x509 -in certificate.tmp -outform DER -out p256.der
openssl ec -in key.tmp -out key2.tmp 2>/dev/null
cat certificate.tmp key2.tmp > p256-sec1.pem
openssl pkcs8 -topk8 -passout pass:word -in key.tmp -out p256-encrypted.pem
make rsa -newkey rsa:2048
openssl rsa -in key.tmp -traditional -out rsa-pkcs1.pem 2>/dev/null
cat ed25519.pem p256.pem > two.pem
head -c 300 p256.pem > cut.pem
rm -f ./*.tmp
