/* The pivot: from the cube and a choice to rows, columns, cells, words and SQL. Knows no page. */
'use strict';
window.cityline = window.cityline || {};
cityline.pivot = (() => {
  const W = cityline.words, MONTHS = W.months, {number} = W;
  const LEAST = 30; // below this earlier count a percentage says nothing
  const CHOICES = {rows: ['department', 'channel', 'year', 'month'],
    columns: ['none', 'channel', 'year'], measure: ['count', 'share', 'change']};

  /* Unpack the cube. Names stay in arrays and are met by position: none is ever a key. */
  function open(cube) {
    const months = [];
    const absent = new Set(cube.absent), provisional = new Set(cube.provisional);
    for (let i = 0; i < cube.months; i++) {
      const of = (cube.first[1] - 1 + i) % 12;
      const year = cube.first[0] + Math.floor((cube.first[1] - 1 + i) / 12);
      months.push({year, of, there: !absent.has(i), complete: !absent.has(i) && !provisional.has(i)});
    }
    const years = [...new Set(months.map(m => m.year))];
    const series = cube.series.map(([department, channel, start, steps]) => {
      let count = 0;
      return {department, channel, start, counts: steps.map(step => (count += step))};
    });
    const at = new Map(months.map((m, i) => [m.year * 12 + m.of, i]));
    const month = (year, of) => months[at.get(year * 12 + of)];
    const whole = y => MONTHS.every((_, of) => month(y, of)?.complete);
    const named = (names, list) => list.map(name => new Map(Object.entries(names || {})).get(name) || name);
    const shown = {departments: named(cube.names?.department, cube.departments), channels: named(cube.names?.channel, cube.channels)};
    return {...cube, shown, monthList: months, years, series, month, whole};
  }

  function defaults(data) {
    const done = data.years.filter(data.whole);
    const year = done[done.length - 1] ?? data.years[data.years.length - 1];
    const before = data.years.includes(year - 1) ? year - 1 : data.years[0];
    return {rows: 'department', columns: 'none', measure: 'count', from: year, to: year,
      compare: before, department: [], channel: []};
  }

  /* A choice from a query string; what cannot be used is left out and told. */
  function read(query, data) {
    const asked = new URLSearchParams(query), choice = defaults(data), ignored = [];
    const take = (key, as, known) => {
      if (!asked.has(key)) return;
      const value = asked.get(key), found = known.find(k => String(k) === value);
      if (found === undefined) ignored.push(W.unknown(key, value));
      else for (const name of as) choice[name] = found;
    };
    for (const key of Object.keys(CHOICES)) take(key, [key], CHOICES[key]);
    take('year', ['from', 'to'], data.years);
    take('from', ['from'], data.years);
    take('to', ['to'], data.years);
    if (!asked.has('compare') && data.years.includes(choice.to - 1)) choice.compare = choice.to - 1;
    take('compare', ['compare'], data.years);
    if (asked.has('compare') && !asked.has('measure')) choice.measure = 'change';
    for (const key of ['department', 'channel']) {
      for (const name of asked.getAll(key)) {
        const index = data[key + 's'].indexOf(name);
        if (index < 0) ignored.push(W.unknown(key, name));
        else if (!choice[key].includes(index)) choice[key].push(index);
      }
    }
    return {choice, ignored};
  }

  function write(choice, data) {
    const query = new URLSearchParams();
    for (const key of Object.keys(CHOICES)) query.set(key, choice[key]);
    if (choice.from === choice.to) query.set('year', choice.from);
    else { query.set('from', choice.from); query.set('to', choice.to); }
    if (choice.measure === 'change') query.set('compare', choice.compare);
    for (const key of ['department', 'channel'])
      for (const index of choice[key]) query.append(key, data[key + 's'][index]);
    return '?' + query;
  }

  const signed = n => n ? (n > 0 ? '+' : '−') + number(Math.abs(n)) : '±0';
  const percent = ratio => W.decimal(ratio * 100, 1) + W.percent;
  const change = (now, was) => {
    if (was < LEAST) return '–';
    const tenths = Math.round((now - was) / was * 1000);
    return (tenths ? (tenths > 0 ? '+' : '−') : '±') + W.decimal(Math.abs(tenths) / 10, 1) + W.percent;
  };
  const monthName = (m, short) => `${short ? W.short[m.of] : MONTHS[m.of]} ${m.year}`;

  /* [0, 1, 2, 6] → "January–March, July" */
  function span(list) {
    const parts = [];
    for (const of of list) {
      const last = parts[parts.length - 1];
      if (last && last[1] === of - 1) last[1] = of; else parts.push([of, of]);
    }
    return parts.map(([a, b]) => a === b ? MONTHS[a] : `${MONTHS[a]}–${MONTHS[b]}`).join(', ');
  }

  function refusal(data, c) {
    if (c.from > c.to) return W.upsideDown(c.from, c.to);
    if (c.rows === c.columns) return W.twice(c.rows);
    if (c.measure !== 'change') return '';
    if (c.from === c.to && c.from === c.compare)
      return W.itself(c.compare);
    if (c.from !== c.to && c.rows !== 'year' && c.rows !== 'month' && c.columns !== 'year')
      return W.oneYear;
    if (!chosenYears(data, c).some(y => shared(data, y, c.compare).length))
      return W.nothingShared(period(c), c.compare);
    return '';
  }

  const shared = (data, year, other) => MONTHS.map((_, of) => of)
    .filter(of => data.month(year, of)?.complete && data.month(other, of)?.complete);
  const chosenYears = (data, c) => data.years.filter(y =>
    y >= c.from && y <= c.to && (c.measure !== 'change' || y !== c.compare));
  const period = c => c.from === c.to ? String(c.from) : `${c.from}–${c.to}`;

  /* The months counted: each is a month of the cube, the year it belongs to, and on which side. */
  function counted(data, c) {
    const found = [];
    for (const year of chosenYears(data, c)) {
      if (c.measure !== 'change')
        data.monthList.forEach((m, i) => { if (m.year === year && m.there) found.push({i, year, of: m.of, side: 0}); });
      else for (const of of shared(data, year, c.compare))
        [year, c.compare].forEach((y, side) =>
          found.push({i: data.monthList.indexOf(data.month(y, of)), year, of, side}));
    }
    return found;
  }

  /* Axis positions of rows or columns: which line a (series, month) belongs to, and its label. */
  function axis(data, c, kind, months) {
    const byMonth = c.columns === 'year';
    if (kind === 'none') return {of: () => 0, lines: [{label: c.measure === 'share' ? W.share : W.inquiries}]};
    if (kind === 'department' || kind === 'channel')
      return {of: s => s[kind], lines: data.shown[kind + 's'].map(label => ({label}))};
    const key = kind === 'year' ? m => m.year : byMonth ? m => m.of : m => m.year * 12 + m.of;
    const keys = [...new Set(months.map(key))].sort((a, b) => a - b);
    const place = new Map(keys.map((k, i) => [k, i]));
    const lines = keys.map(k => {
      if (kind === 'year') {
        const part = c.measure === 'change' ? '' : data.whole(k) ? '' : W.incomplete;
        const used = c.measure === 'change' ? shared(data, k, c.compare) : [];
        return {label: String(k), part: used.length && used.length < 12 ? span(used) : part, provisional: !!part};
      }
      if (byMonth) {
        const open = months.some(m => m.of === k && !data.monthList[m.i].complete);
        return {label: MONTHS[k], short: W.short[k], part: open ? W.provisionalInAYear : ''};
      }
      const m = {year: Math.floor(k / 12), of: k % 12}, provisional = !data.month(m.year, m.of).complete;
      return {label: monthName(m), short: monthName(m, true), of: m.of, year: m.year,
        part: provisional ? W.provisional : '', provisional};
    });
    return {of: (s, m) => place.get(key(m)), lines};
  }

  /* The whole answer to a choice, or {refused}. A cell is [now, before]. */
  function turn(data, c) {
    const refused = refusal(data, c);
    if (refused) return {refused};
    const months = counted(data, c);
    const rows = axis(data, c, c.rows, months), columns = axis(data, c, c.columns, months);
    const cells = rows.lines.map(() => columns.lines.map(() => [0, 0]));
    for (const s of data.series) {
      if (c.department.length && !c.department.includes(s.department)) continue;
      if (c.channel.length && !c.channel.includes(s.channel)) continue;
      for (const m of months) {
        const n = s.counts[m.i - s.start];
        if (n) cells[rows.of(s, m)][columns.of(s, m)][m.side] += n;
      }
    }
    const sum = list => list.reduce(([a, b], [x, y]) => [a + x, b + y], [0, 0]);
    let lines = rows.lines.map((line, i) => ({...line, cells: cells[i], all: sum(cells[i])}));
    const named = kind => kind === 'department' || kind === 'channel';
    if (named(c.rows)) {
      const weight = c.measure === 'change' ? l => Math.abs(l.all[0] - l.all[1]) : l => l.all[0];
      lines = lines.filter(l => l.all[0] || l.all[1])
        .sort((a, b) => weight(b) - weight(a) || b.all[0] - a.all[0]);
    }
    const used = columns.lines.map((_, k) => !named(c.columns) || lines.some(l => l.cells[k][0] || l.cells[k][1]));
    const keep = list => list.filter((_, k) => used[k]);
    lines = lines.map(l => ({...l, cells: keep(l.cells)}));
    const heads = keep(columns.lines);
    const totals = heads.map((_, k) => sum(lines.map(l => l.cells[k])));
    const all = sum(totals);
    const mixed = c.measure === 'change' && c.from !== c.to;
    return {choice: c, lines, heads, totals, all, months,
      sums: c.columns !== 'none' && !(mixed && c.columns === 'year'),
      footer: !(mixed && (c.rows === 'year' || (c.rows === 'month' && c.columns !== 'year')))};
  }

  /* What is compared with what, and which months are not final. */
  function notes(data, c, view) {
    const told = [];
    if (c.measure === 'change') {
      const years = chosenYears(data, c);
      if (years.length === 1) {
        const of = shared(data, years[0], c.compare);
        told.push(of.length === 12 ? W.bothComplete(years[0], c.compare) : W.likeForLike(span(of), years[0], c.compare));
      } else told.push(W.eachYear(c.compare));
    } else {
      const open = [...new Set(view.months.filter(m => !data.monthList[m.i].complete).map(m => m.i))];
      if (open.length) told.push(W.open(open.map(i => monthName(data.monthList[i])).join(', ')));
      const part = chosenYears(data, c).filter(y => !data.whole(y));
      if (part.length) told.push(part.map(y => W.has(y, span(MONTHS.map((_, of) => of).filter(of => data.month(y, of)?.complete)))).join('; ') + '.');
    }
    for (const key of ['department', 'channel'])
      if (c[key].length) told.push(W.only(c[key].length > 3 ? W.count(c[key].length, key) : c[key].map(i => data.shown[key + 's'][i]).join(', ')));
    return told;
  }

  /* The finding, as one sentence. */
  function sentence(data, c, view) {
    const {lines, all} = view, when = period(c);
    if (!lines.length || !(all[0] || all[1])) return W.none(when);
    if (c.measure === 'change') {
      if (!view.footer || (c.from !== c.to)) return W.changeBy(c.compare, c.rows, c.columns === 'none' ? '' : c.columns, when);
      const of = shared(data, c.from, c.compare), all12 = of.length === 12;
      const by = [...lines].sort((a, b) => (b.all[0] - b.all[1]) - (a.all[0] - a.all[1]));
      const up = by[0], down = by[by.length - 1], d = l => l.all[0] - l.all[1];
      return W.compared(all12 ? '' : span(of), when, number(all[0]), signed(all[0] - all[1]), change(all[0], all[1]), c.compare) +
        (d(up) > 0 ? W.rose(up.label, signed(d(up))) : '') +
        (d(down) < 0 ? W.fell(down.label, signed(d(down))) : '') + '.';
    }
    const top = [...lines].filter(l => !l.provisional).sort((a, b) => b.all[0] - a.all[0])[0] || lines[0];
    return c.rows === 'department' || c.rows === 'channel'
      ? W.most(top.label, when, number(top.all[0]), number(all[0]), percent(top.all[0] / all[0]))
      : W.peak(number(all[0]), when, top.label, number(top.all[0]));
  }

  const quoted = text => `'${text.replaceAll("'", "''")}'`;

  /* The same table as one statement of DuckDB. */
  function sql(data, c) {
    const of = c.measure === 'change' ? 'pairs' : 't';
    const keys = kind => kind === 'none' ? [] : kind === 'year' ? [`${of}.year`] : kind !== 'month' ? [`t.${kind}`]
      : c.columns === 'year' ? [`${of}.month_of_year`] : c.measure === 'change'
        ? ['pairs.year', 'pairs.month_of_year'] : ['t.month'];
    const names = [...new Set([...keys(c.rows), ...keys(c.columns)])];
    const where = ['department', 'channel'].filter(k => c[k].length)
      .map(k => `t.${k} IN (${c[k].map(i => quoted(data[k + 's'][i])).join(', ')})`);
    const part = keys(c.columns), window = part.length ? `PARTITION BY ${part.join(', ')}` : '';
    const lines = [];
    if (c.measure === 'change') {
      const pairs = chosenYears(data, c).flatMap(y => shared(data, y, c.compare).map(m => `(${y}, ${m + 1})`));
      lines.push('WITH pairs(year, month_of_year) AS (', `  VALUES ${pairs.join(', ')}`, ')',
        `SELECT ${names.join(', ')},`,
        `  coalesce(sum(t.inquiries) FILTER (WHERE t.year = ${c.compare}), 0) AS inquiries_before,`,
        '  coalesce(sum(t.inquiries) FILTER (WHERE t.year = pairs.year), 0) AS inquiries',
        'FROM pairs', `JOIN ${data.table} AS t`,
        `  ON t.month_of_year = pairs.month_of_year AND t.year IN (pairs.year, ${c.compare})`);
    } else {
      lines.push(`SELECT ${names.join(', ')}, sum(t.inquiries) AS inquiries` + (c.measure === 'share'
        ? `,\n  sum(t.inquiries) / sum(sum(t.inquiries)) OVER (${window}) AS share` : ''),
        `FROM ${data.table} AS t`);
      where.unshift(`t.year BETWEEN ${c.from} AND ${c.to}`);
    }
    if (where.length) lines.push(`WHERE ${where.join('\n  AND ')}`);
    return lines.concat(`GROUP BY ${names.join(', ')}`, `ORDER BY ${names.join(', ')}`).join('\n');
  }

  return {LEAST, open, defaults, read, write, turn, notes, sentence, sql, period, number, signed, percent, change};
})();
