// An auditor's own program, with the Go project's implementation of signed notes and RFC 6962 proofs (golang.org/x/mod/sumdb) and nothing of PhysSec:
// reads the ledger's tiles over HTTP and checks every leaf, and the proofs in an evidence pack.
//
//	foreign LEDGER-URL TOKEN VKEY OLD-CHECKPOINT-FILE MANIFEST-FILE
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type ledger struct{ url, token string }

func (l ledger) get(path string) []byte {
	request, err := http.NewRequest("GET", l.url+path, nil)
	must(err)
	request.Header.Set("Authorization", "Bearer "+l.token)
	answer, err := http.DefaultClient.Do(request)
	must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	if answer.StatusCode != 200 {
		must(fmt.Errorf("%s: %s", path, answer.Status))
	}
	return body
}

func (l ledger) Height() int { return 8 }

func (l ledger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, it := range tiles {
		data = append(data, l.get("/tile/"+strings.TrimPrefix(it.Path(), "tile/8/")))
	}
	return data, nil
}

func (l ledger) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	it := ledger{os.Args[1], os.Args[2]}
	verifier, err := note.NewVerifier(os.Args[3])
	must(err)
	keys := note.VerifierList(verifier)
	old := open(read(os.Args[4]), keys)
	var manifest struct {
		Checkpoint string
		Witnessed  []struct {
			Note string
			Path []string
		}
	}
	must(json.Unmarshal(read(os.Args[5]), &manifest))
	head := open([]byte(manifest.Checkpoint), keys)

	hashes := tlog.TileHashReader(head, it)
	for n := int64(0); n < head.N; n += 256 {
		width := head.N - n
		path := "/tile/entries/" + place(n/256)
		if width < 256 {
			path += ".p/" + strconv.FormatInt(width, 10)
		} else {
			width = 256
		}
		bundle := it.get(path)
		for i := int64(0); i < width; i++ {
			length := int(bundle[0])<<8 | int(bundle[1])
			hash := tlog.RecordHash(bundle[2 : 2+length])
			bundle = bundle[2+length:]
			proof, err := tlog.ProveRecord(head.N, n+i, hashes)
			must(err)
			must(tlog.CheckRecord(proof, head.N, head.Hash, n+i, hash))
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("%s is longer than its entries", path))
		}
	}
	proof, err := tlog.ProveTree(head.N, old.N, hashes)
	must(err)
	must(tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash))

	found := false
	for _, witness := range manifest.Witnessed {
		earlier := open([]byte(witness.Note), keys)
		var path tlog.TreeProof
		for _, step := range witness.Path {
			hash, err := tlog.ParseHash(step)
			must(err)
			path = append(path, hash)
		}
		must(tlog.CheckTree(path, head.N, head.Hash, earlier.N, earlier.Hash))
		found = found || earlier == old
	}
	if !found {
		must(fmt.Errorf("the pack has no proof for the checkpoint over %d records", old.N))
	}
	fmt.Printf("good: %d leaves, %d earlier checkpoints\n", head.N, len(manifest.Witnessed))
}

func open(signed []byte, keys note.Verifiers) tlog.Tree {
	it, err := note.Open(signed, keys)
	must(err)
	lines := strings.Split(it.Text, "\n")
	n, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	hash, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: n, Hash: hash}
}

// 1234067 is x001/x234/067.
func place(n int64) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

func read(file string) []byte {
	data, err := os.ReadFile(file)
	must(err)
	return data
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "foreign:", err)
		os.Exit(1)
	}
}
