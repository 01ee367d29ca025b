/* The page Explore: controls, table and chart. Its state is the query string and nothing else. */
'use strict';
(() => {
  const {LEAST, open, defaults, read, write, turn, notes, sentence, sql, period, number, signed, percent, change} = cityline.pivot;
  const byId = id => document.getElementById(id);
  if (!window.CITYLINE_CUBE || !window.vega) return;
  const W = cityline.words, WORDS = W.head, form = byId('controls');
  const data = open({...window.CITYLINE_CUBE, names: JSON.parse(byId('explore').dataset.names)});
  let choice, ignored, view, chart, cursor = 0;

  /* An element with attributes, texts and children. Texts stay texts. */
  function make(tag, attributes = {}, ...inside) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...inside);
    return made;
  }

  function build() {
    for (const name of ['from', 'to', 'compare'])
      byId('f-' + name).append(...data.years.map(y => make('option', {value: y}, data.whole(y) ? String(y) : W.part(y))));
    for (const box of form.querySelectorAll('[data-filter]')) {
      const kind = box.dataset.filter, list = make('div', {class: 'boxes'});
      data[kind + 's'].forEach((name, i) => {
        const input = make('input', {type: 'checkbox', name: kind, value: name, id: `f-${kind}-${i}`});
        list.append(make('label', {for: input.id}, input, make('span', {}, data.shown[kind + 's'][i])));
      });
      const clear = make('button', {type: 'button'}, W.allOf(kind));
      clear.addEventListener('click', () => { choice[kind] = []; fill(); changed(); });
      box.append(list, clear);
    }
  }

  /* The controls say what the choice is. */
  function fill() {
    for (const name of ['rows', 'columns', 'measure', 'from', 'to', 'compare']) byId('f-' + name).value = choice[name];
    for (const kind of ['department', 'channel'])
      data[kind + 's'].forEach((_, i) => { byId(`f-${kind}-${i}`).checked = choice[kind].includes(i); });
  }

  function gather() {
    for (const name of ['rows', 'columns', 'measure']) choice[name] = byId('f-' + name).value;
    for (const name of ['from', 'to', 'compare']) choice[name] = Number(byId('f-' + name).value);
    for (const kind of ['department', 'channel'])
      choice[kind] = data[kind + 's'].map((_, i) => i).filter(i => byId(`f-${kind}-${i}`).checked);
  }

  function changed(quiet) {
    if (!quiet) { history.replaceState(null, '', write(choice, data)); ignored = []; }
    const change = choice.measure === 'change';
    byId('f-compare').disabled = !change;
    for (const kind of ['department', 'channel'])
      form.querySelector(`[data-told=${kind}]`).textContent = choice[kind].length ? W.someOf(choice[kind].length, data[kind + 's'].length) : W.all;
    view = turn(data, choice);
    const refused = !!view.refused, empty = !refused && !view.lines.length;
    byId('status').className = refused ? 'refused' : '';
    for (const id of ['figure', 'table', 'hint']) byId(id).hidden = refused || empty;
    for (const id of ['takes', 'sql']) byId(id).hidden = refused;
    byId('by-hand').hidden = true;
    const title = refused ? W.refused : sentence(data, choice, view);
    byId('finding').textContent = title;
    const told = ignored.length ? W.ignored(ignored.join(', ')) : '';
    if (refused) { say(view.refused + told); return; }
    byId('sql').querySelector('code').textContent = sql(data, choice);
    say((empty ? title : [`${W.count(view.lines.length, choice.rows)}, ${period(choice)}.`, ...notes(data, choice, view)].join(' ')) + told);
    cursor = 0;
    if (!empty) { table(); draw(); }
  }

  const say = words => { byId('status').textContent = words; };

  /* What the table and the CSV hold, as numbers and as words. */
  function grid() {
    const {measure, columns} = choice, pairs = measure === 'change' && columns === 'none';
    const cells = (line, totals) => {
      if (pairs) return pair(line.all);
      const list = view.sums && columns !== 'none' ? [...line.cells, line.all] : line.cells;
      return list.map((c, k) => one(c, totals[k]));
    };
    const one = ([now, was], total) => measure === 'change' ? [now - was, signed(now - was)]
      : measure === 'share' ? [total ? now / total : 0, percent(total ? now / total : 0)] : [now, number(now)];
    const pair = ([now, was]) => [[was, number(was)], [now, number(now)], [now - was, signed(now - was)],
      [was ? (now - was) / was : '', change(now, was)]];
    const totals = [...view.totals.map(t => t[0]), view.all[0]];
    const heads = pairs ? [String(choice.compare), choice.from === choice.to ? String(choice.to) : W.theYear, W.change, W.changePercent].map(label => ({label}))
      : view.sums && columns !== 'none' ? [...view.heads, {label: W.All}] : view.heads;
    const rows = view.lines.map(line => ({line, cells: cells(line, totals)}));
    const foot = view.footer ? cells({cells: view.totals, all: view.all}, totals) : null;
    return {heads, rows, foot};
  }

  function name(line) {
    return line.part ? [line.label, ' ', make('span', {class: 'part'}, line.part)] : [line.label];
  }

  function table() {
    const {heads, rows, foot} = grid(), n = cells => cells.map(([, words]) => make('td', {class: 'n'}, words));
    const caption = byId('finding').textContent;
    const body = make('tbody', {}, ...rows.map(({line, cells}, r) =>
      make('tr', {tabindex: r ? -1 : 0, 'data-row': r, ...(line.provisional ? {class: 'open'} : {})}, make('th', {scope: 'row'}, ...name(line)), ...n(cells))));
    const made = make('table', {}, make('caption', {}, W.same),
      make('thead', {}, make('tr', {}, make('th', {scope: 'col'}, WORDS[choice.rows]),
        ...heads.map(h => make('th', {scope: 'col', class: 'n'}, ...name(h))))), body);
    if (foot) made.append(make('tfoot', {}, make('tr', {}, make('th', {scope: 'row'}, W.All), ...n(foot))));
    const region = byId('table');
    region.setAttribute('aria-label', W.table(caption));
    region.classList.toggle('long', rows.length > 12);
    region.replaceChildren(made);
    region.scrollTop = 0;
    byId('caption').textContent = [choice.measure === 'change' && choice.columns === 'none' && W.least(LEAST), W.snapshot(byId('explore').dataset.title, data.snapshot.slice(0, 7)), ...data.licences, byId('explore').dataset.notice].filter(Boolean).join(' ');
  }

  /* One row is current: in the table for everybody, in the chart for who sees it. */
  function move(to, focus) {
    const rows = byId('table').querySelectorAll('tbody tr');
    if (!rows[to]) return;
    rows.forEach((row, i) => {
      row.tabIndex = i === to ? 0 : -1;
      if (i === to) row.setAttribute('aria-current', 'true'); else row.removeAttribute('aria-current');
    });
    cursor = to;
    if (focus) rows[to].focus();
    if (chart) chart.signal('cursor', to).run();
  }

  function draw() {
    const box = byId('chart');
    if (chart) chart.finalize();
    const holder = make('div');
    box.replaceChildren(holder);
    const drawn = cityline.chart.draw(view, Math.max(260, box.clientWidth || byId('result').clientWidth));
    chart = new vega.View(vega.parse(drawn.spec, null, {ast: true}),
      {expr: vega.expressionInterpreter, renderer: 'svg', hover: false}).initialize(holder).run();
    tidy(holder);
    const rows = view.lines.length, kinds = drawn.form === 'lines' ? view.heads.length : rows;
    byId('cut').textContent = drawn.shown < kinds ? W.cut(drawn.form === 'lines' || choice.rows === 'department' ? W.largest : W.first, drawn.shown, kinds) : '';
  }

  /* Vega names what holds its drawing; here the image has one name, and its holder none. */
  function tidy(holder) {
    for (const a of ['role', 'aria-roledescription', 'aria-label']) holder.removeAttribute(a);
    const svg = holder.querySelector('svg');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', byId('finding').textContent);
  }

  async function copy(words, what) {
    try {
      await navigator.clipboard.writeText(words);
      say(W.copied(what));
    } catch {
      byId('by-hand').hidden = false;
      byId('copied').value = words;
      byId('copied').select();
      say(W.byHand(what));
    }
  }

  /* A text that a spreadsheet would take for a formula gets an apostrophe before it. */
  function csv() {
    const safe = v => typeof v === 'number' ? String(v) : quote(/^[=+\-@\t\r\0]/.test(v) ? `'${v}` : v);
    const quote = v => /[",\r\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v;
    const {heads, rows} = grid(), label = l => l.part ? `${l.label} (${l.part})` : l.label;
    const lines = [[WORDS[choice.rows], ...heads.map(label)], ...rows.map(({line, cells}) => [label(line), ...cells.map(([v]) => v)])];
    return lines.map(line => line.map(safe).join(',') + '\r\n').join('');
  }

  function download() {
    const url = URL.createObjectURL(new Blob([csv()], {type: 'text/csv;charset=utf-8'}));
    const link = make('a', {href: url, download: `explore-${choice.rows}-${period(choice)}.csv`});
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    say(W.csv);
  }

  function keys(event) {
    const row = event.target.closest('tbody tr');
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = view.lines.length - 1;
    const to = {ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(Math.max(0, Math.min(last, to)), true);
  }

  function listen() {
    form.addEventListener('change', () => { gather(); changed(); });
    form.addEventListener('submit', event => { event.preventDefault(); gather(); changed(); });
    form.addEventListener('reset', event => { event.preventDefault(); choice = defaults(data); fill(); changed(); });
    byId('copy-link').addEventListener('click', () => copy(new URL(write(choice, data), location.href).href, W.link));
    byId('copy-sql').addEventListener('click', () => copy(sql(data, choice), 'SQL'));
    byId('csv').addEventListener('click', download);
    const place = byId('table');
    place.addEventListener('keydown', keys);
    place.addEventListener('focusin', event => {
      const row = event.target.closest('tbody tr');
      if (row) move(Number(row.dataset.row), false);
    });
    let width = 0;
    new ResizeObserver(([entry]) => {
      const now = Math.round(entry.contentRect.width);
      if (width && now !== width && view && !view.refused && view.lines.length) requestAnimationFrame(() => { draw(); if (cursor) move(cursor, false); });
      width = now;
    }).observe(byId('result'));
  }

  build();
  ({choice, ignored} = read(location.search, data));
  fill();
  listen();
  form.hidden = false;
  byId('scriptless').hidden = true;
  byId('explore').classList.add('ready');
  // labels are measured, so the page's own font comes first
  document.fonts.load('13px Inter').finally(() => { changed(true); byId('explore').dataset.drawn = 'yes'; });
})();
