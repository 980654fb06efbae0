// What somebody means by a few words, in the world that the server has sent: the rules of accounts/palette/, step by
// step, so that a keystroke needs no answer. Both go through one table of cases (tests/accounts/palette/cases.py).
(() => {
  const [MOST, MOST_OF_KIND, MOST_WORDS, LONGEST_QUERY] = [20, 8, 8, 200];
  const [WHOLE, TOKEN, BEGINNING, PREFIX, INSIDE, INITIALS, NEAR, SCATTERED] = [160, 90, 80, 70, 50, 25, 20, 15];
  const [FOR_ANOTHER, BESIDE] = [5, 20];
  const DIRECT = INSIDE - BESIDE;
  const KINDS = ["place", "shortcut", "account", "page", "set", "service", "person", "group"];
  const POINTS = { place: 25, shortcut: 20, page: 15, set: 5, service: 5 };
  const [UNNAMED, NEXT_SET, FEW_ACCOUNTS] = [25, 10, 3];
  const ANY_ACCOUNT = "999999999999";
  const FEWEST_DIGITS = 5;
  const DASHES = "-\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2212";
  const DROPPED = new RegExp(`[${DASHES}・]`, "g");
  const BETWEEN = /[\s\-_/.:,;|·・()[\]{}<>@+=&'"\u058a\u2010-\u2015\u2212]+/u;

  // `sent` is what /search/world/ gives.
  function makeSeeker(sent) {
    const { world, words } = sent;
    const variants = new Map([...words.variants[0]].map((sign, place) => [sign, [...words.variants[1]][place]]));
    const others = new Map();
    for (const group of words.synonyms) {
      for (const word of group) others.set(word, group.filter((other) => other !== word));
    }
    const texts = new Map(); // each text is taken apart once, whoever has it

    const letters = new Map();
    return {
      rank,
      isDirect: ({ weakest }) => weakest >= DIRECT, // what was typed stands there
      readWords: (query) => readWords(query).map(({ text }) => text),
      // For marking what was typed: each word with what stands for it, and letters as they are compared.
      listNeedles: (query) => readWords(query).map(({ text, others: like }) => [text, ...like]),
      foldLetter(letter) {
        if (!letters.has(letter)) letters.set(letter, tokenise(letter));
        return letters.get(letter);
      },
    };

    // --- Words ---------------------------------------------------------------------------------------------------------

    // accounts/search.py
    function fold(text) {
      const lower = text.normalize("NFKC").toUpperCase().toLowerCase().replace(/ς/g, "σ").normalize("NFKC");
      const plain = lower.replace(/\s+/g, "").replace(/[\u30a1-\u30f6\u30fd\u30fe]/g, toHiragana);
      return [...plain].map((sign) => variants.get(sign) ?? sign).join("").replace(DROPPED, "");
    }

    function tokenise(text) {
      return text.normalize("NFKC").split(BETWEEN).map(fold).filter(Boolean).join(" ");
    }

    function splitQuery(query) {
      const whole = fold(query);
      if (/^\d+$/.test(whole) && whole.length >= FEWEST_DIGITS) return [whole];
      return query.split(/\s+/);
    }

    function readWords(query) {
      const written = splitQuery(query.slice(0, LONGEST_QUERY));
      const all = new Set(written.flatMap((word) => splitGlued(tokenise(word).replaceAll(" ", ""))));
      const meant = [...all].filter((text) => !words.fillers.includes(text));
      return (meant.length ? meant : [...all]).slice(0, MOST_WORDS).map((text) => ({ text, others: others.get(text) ?? [], known: new Map() }));
    }

    function splitGlued(word) {
      const begin = words.leading.find((text) => word.startsWith(text) && word !== text);
      if (begin) return [begin, ...splitGlued(word.slice(begin.length).replace(/^の/, ""))];
      return word ? [word] : [];
    }

    // --- Grades --------------------------------------------------------------------------------------------------------

    function grade(word, those) {
      let best = 0;
      for (let number = 0; number < those.length; number += 1) {
        const found = gradeKnown(word, those[number], number === 0);
        if (found) best = Math.max(best, found - (number ? BESIDE : 0));
      }
      return best;
    }

    // Units, stages and sets are the same in many accounts.
    function gradeKnown(word, text, isName) {
      const key = isName ? `*${text}` : text;
      let found = word.known.get(key);
      if (found === undefined) {
        const parts = takeApart(text);
        found = gradeText(word.text, parts, isName);
        if (hasToken(parts, word.others)) found = Math.max(found, TOKEN - FOR_ANOTHER);
        word.known.set(key, found);
      }
      return found;
    }

    function takeApart(text) {
      let parts = texts.get(text);
      if (!parts) {
        const tokens = text.split(" ");
        parts = { squeezed: text.replaceAll(" ", ""), tokens, bare: tokens.map((token) => token.replace(/[0-9]+$/, "")) };
        texts.set(text, parts);
      }
      return parts;
    }

    // --- Ranking -------------------------------------------------------------------------------------------------------

    // What the query may mean, best first; `more` are entries that were found elsewhere.
    function rank(query, more = []) {
      const asked = readWords(query);
      const found = [...findPlaces(asked), ...findEntries(asked), ...more].sort(compare);
      const counts = {};
      const kept = found.filter(({ entry }) => (counts[entry.kind] = (counts[entry.kind] ?? 0) + 1) <= MOST_OF_KIND);
      return kept.slice(0, MOST);
    }

    function findEntries(asked) {
      return [...world.accounts.map(({ entry }) => entry), ...world.entries].map((entry) => score(entry, asked)).filter(Boolean);
    }

    function score(entry, asked) {
      if (!asked.length && (!entry.use || entry.kind === "account")) return null;
      let points = (POINTS[entry.kind] ?? 0) + entry.use;
      let weakest = asked.length ? WHOLE : 0;
      for (const word of asked) {
        const found = grade(word, entry.texts);
        if (!found) return null;
        points += found;
        weakest = Math.min(weakest, found);
      }
      return { entry, score: points, weakest };
    }

    function findPlaces(asked) {
      const own = world.sets.map((each) => asked.map((word) => grade(word, each.texts)));
      const wishes = [{ service: null, grades: asked.map(() => 0) }, ...listWishes(asked)];
      const offers = [];
      for (const account of world.accounts) {
        const seat = account.places.length ? makeSeat(account, asked) : null;
        if (!seat) continue;
        for (const wish of wishes) {
          const sets = listOffers(seat, wish, own);
          if (sets.length) offers.push({ account, wish, sets });
        }
      }
      const isFew = new Set(offers.map(({ account }) => account.account_id)).size <= FEW_ACCOUNTS;
      return offers.flatMap(({ account, wish, sets }) =>
        (isFew ? sets : sets.slice(0, 1)).map((offer, position) => ({
          account,
          service: wish.service,
          set: world.sets[offer.number],
          score: offer.points + POINTS.place - NEXT_SET * position,
          weakest: offer.weakest,
          get entry() {
            const entry = buildPlace(this);
            Object.defineProperty(this, "entry", { value: entry });
            return entry;
          },
        })),
      );
    }

    // Nothing for an account that nothing speaks for: neither a word nor use.
    function makeSeat(account, asked) {
      const grades = asked.map((word) => grade(word, account.entry.texts));
      const isNamed = grades.some(Boolean);
      return isNamed || account.places.some(([, use]) => use) ? { account, grades, isNamed } : null;
    }

    function listWishes(asked) {
      return world.services
        .map((service) => ({ service, grades: asked.map((word) => grade(word, service.texts)) }))
        .filter(({ grades }) => grades.some(Boolean));
    }

    function listOffers(seat, wish, own) {
      if (!asksFor(seat, wish)) return [];
      const offers = [];
      for (const [number, use] of seat.account.places) {
        if (!use && !seat.isNamed) continue;
        let points = use - (seat.isNamed ? 0 : UNNAMED);
        let weakest = seat.grades.length ? WHOLE : 0;
        const isFound = seat.grades.every((here, place) => {
          const best = Math.max(here, wish.grades[place], own[number][place]);
          points += best;
          weakest = Math.min(weakest, best);
          return best;
        });
        if (isFound) offers.push({ points, weakest, rank: rankSet(world.sets[number], wish), name: world.sets[number].name, number });
      }
      return offers.sort((one, other) => other.points - one.points || one.rank - other.rank || order(one.name, other.name));
    }

    function asksFor(seat, wish) {
      if (!wish.service) return true;
      const isMore = (place) => wish.grades[place] > seat.grades[place];
      const places = [...seat.grades.keys()];
      if (places.some(isMore)) return true;
      return wish.grades.some((found) => found >= DIRECT) && places.some((place) => seat.grades[place] > wish.grades[place]);
    }

    function rankSet(own, wish) {
      return own.is_billing && wish.service?.is_billing ? 0 : own.rank;
    }

    function buildPlace({ account, service, set }) {
      const region = service && !("" in service.destinations) ? account.region_word : "";
      return {
        ...account.entry,
        kind: "place",
        title: service ? `${account.entry.title} · ${service.title}` : account.entry.title,
        below: [set.name, account.stage_word, region].filter(Boolean).join(" · "),
        href: buildLink(account, set, service),
        icon: service ? service.icon : "arrow-up-right",
      };
    }

    function buildLink(account, set, service) {
      const portal = world.portal.replace(/\/+$/, "");
      const link = `${portal}/#/console?account_id=${account.account_id}&role_name=${encodeURIComponent(set.name)}`;
      const destination = service ? service.destinations[""] || service.destinations[account.region] || "" : "";
      return destination ? `${link}&destination=${destination.replaceAll(ANY_ACCOUNT, account.account_id)}` : link;
    }
  }

  // --- How a word fits -------------------------------------------------------------------------------------------------

  function gradeText(word, { squeezed, tokens }, isName) {
    if (squeezed === word) return WHOLE;
    if (tokens.includes(word)) return TOKEN;
    if (squeezed.startsWith(word)) return BEGINNING;
    if (tokens.some((token) => token.startsWith(word))) return PREFIX;
    if (squeezed.includes(word)) return INSIDE;
    return isName && !/[0-9]/.test(word) ? gradeNearly(word, tokens) : 0;
  }

  function gradeNearly(word, tokens) {
    if (word.length >= 2 && hasInitials(word, tokens, 0)) return INITIALS;
    if (word.length >= 4 && tokens.some((token) => isNear(word, token))) return NEAR;
    if (word.length >= 3 && tokens.some((token) => isScattered(word, token))) return SCATTERED;
    return 0;
  }

  function hasInitials(word, tokens, from) {
    if (!word) return true;
    for (let number = from; number < tokens.length; number += 1) {
      for (let length = 0; length < tokens[number].length && word[length] === tokens[number][length]; ) {
        length += 1;
        if (hasInitials(word.slice(length), tokens, number + 1)) return true;
      }
    }
    return false;
  }

  function isNear(word, token) {
    let at = 0;
    while (at < word.length && at < token.length && word[at] === token[at]) at += 1;
    if (at === 0 || at === word.length) return false;
    const [rest, other] = [word.slice(at), token.slice(at)];
    return (
      other.startsWith(rest.slice(1)) ||
      other.slice(1).startsWith(rest) ||
      (other !== "" && other.slice(1).startsWith(rest.slice(1))) ||
      (rest.length > 1 && other.startsWith(rest[1] + rest[0]) && other.slice(2).startsWith(rest.slice(2)))
    );
  }

  function isScattered(word, token) {
    if (word[0] !== token[0] || token.length > 2 * word.length) return false;
    let at = 0;
    for (const letter of token) if (letter === word[at]) at += 1;
    return at === word.length;
  }

  function hasToken({ tokens, bare }, others) {
    return others.length > 0 && (tokens.some((token) => others.includes(token)) || bare.some((token) => others.includes(token)));
  }

  function toHiragana(letter) {
    return String.fromCharCode(letter.charCodeAt(0) - 0x60);
  }

  function order(one, other) {
    return one < other ? -1 : Number(one > other);
  }

  function compare(one, other) {
    return (
      other.score - one.score ||
      KINDS.indexOf(one.entry.kind) - KINDS.indexOf(other.entry.kind) ||
      order(one.entry.title, other.entry.title) ||
      order(one.entry.href, other.entry.href)
    );
  }

  globalThis.makeSeeker = makeSeeker;
})();
