package reliable

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// wordsCount is how many words two people compare. Each stands for 16 bits: whoever sits in between and wants both to see
// the same words must try some 2^64 keys.
const wordsCount = 8

// Words returns words that two people can compare, by telephone say, to make sure that nobody sits between the owners of two
// keys: both see the same words, in whatever order they name the keys, if and only if each has the key the other takes it to have. The
// words are pronounceable and mean nothing: five letters for 16 bits, consonants and vowels in turn (proquints,
// arXiv:0901.4016).
func Words(a, b Key) string {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	h := sha256.New()
	h.Write([]byte("udpchat/2 words")) // A Hash does not fail.
	h.Write(a[:])
	h.Write(b[:])
	sum := h.Sum(nil)
	words := make([]string, wordsCount)
	for i := range words {
		words[i] = word(uint16(sum[2*i])<<8 | uint16(sum[2*i+1]))
	}
	return strings.Join(words, " ")
}

// word returns the five letters of a number.
func word(n uint16) string {
	const consonants, vowels = "bdfghjklmnprstvz", "aiou"
	return string([]byte{
		consonants[n>>12], vowels[n>>10&3], consonants[n>>6&15], vowels[n>>4&3], consonants[n&15],
	})
}
