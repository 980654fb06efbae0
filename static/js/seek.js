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
  const [MOST_WISHES, MOST_OFFERS] = [12, 15_000];
  const ANY_ACCOUNT = "999999999999";
  const MOST_KEPT = 2 * MOST_WORDS;
  const BETWEEN = /[\s\-_/.:,;|·・()[\]{}<>@+=&'"\u058a\u2010-\u2015\u2212]+/u;

  // `sent` is what /search/world/ gives.
  function makeSeeker(sent) {
    const { world, words } = sent;
    const fold = makeFold(words.variants);
    const others = new Map();
    for (const group of words.synonyms) {
      for (const word of group) others.set(word, group.filter((other) => other !== word));
    }
    const asked = new Map(); // the last words
    const texts = new Map(); // each text is taken apart once, whoever has it

    const letters = new Map();
    for (const entry of [...world.entries, ...world.accounts.map((account) => account.entry)]) entry.texts.forEach(takeApart);
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

    function tokenise(text) {
      return text.normalize("NFKC").split(BETWEEN).map(fold).filter(Boolean).join(" ");
    }

    function readWords(query) {
      const written = splitQuery(query.slice(0, LONGEST_QUERY), fold);
      const all = new Set(written.flatMap((word) => splitGlued(tokenise(word).replaceAll(" ", ""))));
      const meant = [...all].filter((text) => !words.fillers.includes(text));
      return (meant.length ? meant : [...all]).slice(0, MOST_WORDS).map(findWord);
    }

    // What a word is in each text is known from the last keystroke, but for the word that is being typed.
    function findWord(text) {
      const word = asked.get(text) ?? { text, others: others.get(text) ?? [], inNames: new Map(), inTexts: new Map() };
      asked.delete(text);
      asked.set(text, word);
      if (asked.size > MOST_KEPT) asked.delete(asked.keys().next().value);
      return word;
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
      const known = isName ? word.inNames : word.inTexts;
      let found = known.get(text);
      if (found === undefined) {
        const parts = takeApart(text);
        found = gradeText(word.text, parts, isName);
        if (hasToken(parts, word.others)) found = Math.max(found, TOKEN - FOR_ANOTHER);
        known.set(text, found);
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
      const groups = Object.groupBy([...findPlaces(asked), ...findEntries(asked), ...more], ({ kind, entry }) => kind ?? entry.kind);
      const best = Object.values(groups).flatMap((those) => keepBest(those).map(finish).sort(compare).slice(0, MOST_OF_KIND));
      return best.sort(compare).slice(0, MOST);
    }

    // Those that may be among the best of their kind; a place gets its words and its link only then.
    function keepBest(those) {
      if (those.length <= MOST_OF_KIND) return those;
      const least = those.map(({ score }) => score).sort((one, other) => other - one)[MOST_OF_KIND - 1];
      return those.filter(({ score }) => score >= least);
    }

    function finish(each) {
      return each.entry ? each : { ...each, entry: buildPlace(each) };
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

    // Most accounts have many sets that are the same to the words; only where few accounts fit are all looked at.
    function findPlaces(asked) {
      const own = world.sets.map((each) => asked.map((word) => grade(word, each.texts)));
      const inSets = asked.map((_word, place) => own.some((grades) => grades[place])); // whether any set may have the word
      const wishes = [{ service: null, grades: asked.map(() => 0) }, ...listWishes(asked)];
      const fitting = [];
      for (const seat of keepLikeliest(listSeats(asked, own), wishes.length)) {
        for (const wish of wishes) {
          if (!inSets.every((isThere, place) => isThere || seat.grades[place] || wish.grades[place])) continue;
          const [offer] = listOffers(seat, wish, own, seat.likely);
          if (offer) fitting.push({ seat, wish, offer });
        }
      }
      const isFew = new Set(fitting.map(({ seat }) => seat.account)).size <= FEW_ACCOUNTS;
      if (!isFew) return keepBest(fitting.map(({ seat, wish, offer }) => makePlace(seat, wish, offer, 0)));
      return fitting.flatMap(({ seat, wish }) =>
        listOffers(seat, wish, own, seat.account.places).map((offer, position) => makePlace(seat, wish, offer, position)),
      );
    }

    function makePlace({ account }, { service }, offer, position) {
      const [set, score] = [world.sets[offer.number], offer.points + POINTS.place - NEXT_SET * position];
      return { kind: "place", account, service, set, score, weakest: offer.weakest };
    }

    // The accounts that something speaks for: a word, or use.
    function listSeats(asked, own) {
      const kinds = own.map((grades, number) => `${grades} ${world.sets[number].is_billing}`);
      const numbers = kinds.map((kind) => kinds.indexOf(kind));
      const most = new Set(numbers).size;
      const seats = [];
      for (const account of world.accounts) {
        if (!account.places.length) continue;
        const grades = asked.map((word) => grade(word, account.entry.texts));
        const isNamed = grades.some(Boolean);
        if (isNamed || account.places[0][1]) seats.push({ account, grades, isNamed, likely: chooseLikely(account.places, numbers, most) });
      }
      return seats;
    }

    // As many as can be weighed with so many wishes, so that no query costs more than another.
    function keepLikeliest(seats, wishes) {
      let room = Math.floor(MOST_OFFERS / wishes);
      if (seats.reduce((sum, { likely }) => sum + likely.length, 0) <= room) return seats;
      const sorted = seats.map((seat) => ({ seat, missing: seat.grades.filter((found) => !found).length, points: addUp(seat.grades) + seat.account.places[0][1] }));
      sorted.sort((one, other) => one.missing - other.missing || other.points - one.points || order(one.seat.account.account_id, other.seat.account.account_id));
      const end = sorted.findIndex(({ seat }) => (room -= seat.likely.length) < 0);
      return sorted.slice(0, end).map(({ seat }) => seat);
    }

    function chooseLikely(places, numbers, most) {
      const first = new Map();
      for (const place of places) {
        if (!first.has(numbers[place[0]])) first.set(numbers[place[0]], place);
        if (first.size === most) break;
      }
      return [...first.values()];
    }

    // The services that the words are most in. One Latin letter is in nearly all and means none; ロ means something.
    function listWishes(asked) {
      return world.services
        .map((service) => ({ service, grades: asked.map((word) => (isLetter(word) ? 0 : grade(word, service.texts))) }))
        .filter(({ grades }) => grades.some(Boolean))
        .sort((one, other) => addUp(other.grades) - addUp(one.grades))
        .slice(0, MOST_WISHES - 1);
    }

    function listOffers(seat, wish, own, places) {
      if (!asksFor(seat, wish)) return [];
      const offers = [];
      for (const [number, use] of places) {
        if (!use && !seat.isNamed) continue;
        let points = use - (seat.isNamed ? 0 : UNNAMED);
        let weakest = seat.grades.length ? WHOLE : 0;
        for (let place = 0; place < seat.grades.length; place += 1) {
          const best = Math.max(seat.grades[place], wish.grades[place], own[number][place]);
          points += best;
          weakest = Math.min(weakest, best);
        }
        if (weakest || !seat.grades.length) offers.push({ points, weakest, rank: rankSet(world.sets[number], wish), name: world.sets[number].name, number });
      }
      if (offers.length < 2) return offers;
      return offers.sort((one, other) => other.points - one.points || one.rank - other.rank || order(one.name, other.name));
    }

    function asksFor(seat, wish) {
      if (!wish.service) return true;
      if (wish.grades.some((there, place) => there > seat.grades[place])) return true;
      return wish.grades.some((there) => there >= DIRECT) && wish.grades.some((there, place) => seat.grades[place] > there);
    }

    function rankSet(own, wish) {
      return own.is_billing && wish.service?.is_billing ? 0 : own.rank;
    }

    // A thousand places may be put in order of which eight are shown, so words and link are made when they are asked for.
    function buildPlace({ account, service, set }) {
      let href = "";
      return {
        kind: "place",
        title: service ? `${account.entry.title} · ${service.title}` : account.entry.title,
        icon: service ? service.icon : "arrow-up-right",
        stage: account.entry.stage,
        get below() {
          const region = service && !("" in service.destinations) ? account.region_word : "";
          return [set.name, account.stage_word, region].filter(Boolean).join(" · ");
        },
        get href() {
          href ||= buildLink(account, set, service);
          return href;
        },
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
    if (other.slice(1).startsWith(rest)) return true;
    if (rest.length === 1) return false;
    const swapped = rest[1] + rest[0] + rest.slice(2);
    return [rest.slice(1), swapped].some((text) => other.startsWith(text)) || other.slice(1).startsWith(rest.slice(1));
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

  function isLetter({ text }) {
    return text.length === 1 && text <= "\x7f";
  }

  function addUp(grades) {
    return grades.reduce((sum, found) => sum + found, 0);
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
