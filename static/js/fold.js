// Texts as they are searched, letter by letter as accounts/search.py folds them: the server has folded what is looked
// through, and what somebody types has to meet it. `variants` are the two rows of kanji that mean each other there.
(() => {
  const DROPPED = /[-\u058a\u2010-\u2015\u2212・]/g;
  const KATAKANA = /[\u30a1-\u30f6\u30fd\u30fe]/g;
  const FEWEST_DIGITS = 5;
  const toHiragana = (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60);

  function makeFold([rare, usual]) {
    const variants = new Map([...rare].map((sign, place) => [sign, [...usual][place]]));
    return (text) => {
      const lower = text.normalize("NFKC").toUpperCase().toLowerCase().replace(/ς/g, "σ").normalize("NFKC");
      const plain = lower.replace(/\s+/g, "").replace(KATAKANA, toHiragana);
      return [...plain].map((sign) => variants.get(sign) ?? sign).join("").replace(DROPPED, "");
    };
  }

  // The words of a query, not folded yet; an account id that was typed in groups is one, and folded.
  function splitQuery(query, fold) {
    const whole = fold(query);
    return /^\d+$/.test(whole) && whole.length >= FEWEST_DIGITS ? [whole] : query.split(/\s+/);
  }

  Object.assign(globalThis, { makeFold, splitQuery });
})();
