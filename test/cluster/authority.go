package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs what the components show each other.
type authority struct {
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
}

// identity is whom a certificate names, and what it answers as.
type identity struct {
	file, name, group string
	hosts             []string
	addresses         []string
}

var identities = []identity{
	{"apiserver", "kube-apiserver", "", []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"},
		[]string{"127.0.0.1", serviceOfAPI, nodeAddress}},
	{"admin", "admin", "system:masters", nil, nil},
	{"controller-manager", "system:kube-controller-manager", "", nil, nil},
	{"scheduler", "system:kube-scheduler", "", nil, nil},
	{"proxy", "system:kube-proxy", "", nil, nil},
	{"kubelet", "system:node:" + nodeName, "system:nodes", []string{nodeName}, []string{"127.0.0.1", nodeAddress}},
	// Its key signs the tokens of ServiceAccounts.
	{"accounts", "accounts", "", nil, nil},
}

func newAuthority(folder string) (*authority, error) {
	a := &authority{folder: folder}
	err := a.sign("ca", &x509.Certificate{
		Subject:               pkix.Name{CommonName: "cluster"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	})
	for _, one := range identities {
		template := &x509.Certificate{
			Subject:     pkix.Name{CommonName: one.name},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			DNSNames:    one.hosts,
		}
		if one.group != "" {
			template.Subject.Organization = []string{one.group}
		}
		for _, address := range one.addresses {
			template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
		}
		if err == nil {
			err = a.sign(one.file, template)
		}
	}
	return a, err
}

// sign writes NAME.crt, NAME.key and NAME.pub; the first one signs itself.
func (a *authority) sign(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			return err
		}
		a.key = key
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return errors.Join(err,
		a.write(name+".crt", "CERTIFICATE", der),
		a.write(name+".key", "PRIVATE KEY", secret),
		a.write(name+".pub", "PUBLIC KEY", public))
}

func (a *authority) write(name, kind string, der []byte) error {
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.folder, name), text.Bytes(), 0o600)
}
