/* Charts: from a turned pivot to a Vega specification. Colours are the page's CSS variables. */
'use strict';
window.cityline = window.cityline || {};
cityline.chart = (() => {
  const FONT = 'Inter, system-ui, sans-serif', SIZE = 13;
  const MOST = {bars: 15, grouped: 10, heat: 15, lines: 4, times: 36};
  const limit = (view, form) => /^(year|month)$/.test(view.choice.rows) ? MOST.times : MOST[form];
  const {number, signed, percent, change} = cityline.pivot;
  const pen = document.createElement('canvas').getContext('2d');
  const wide = (text, size = SIZE) => { pen.font = `${size}px ${FONT}`; return pen.measureText(text).width; };
  const value = field => ({field}), set = v => ({value: v}), when = (test, yes, no) => [{test, ...yes}, no];
  const text = (extra, size = SIZE) => ({font: set(FONT), fontSize: set(size), ...extra});
  const CURSOR = 'datum.r === cursor';

  function shape(view) {
    const {rows, columns, measure} = view.choice, many = view.heads.length;
    if (rows === 'month' && measure !== 'change' && (columns !== 'year' || many <= MOST.lines)) return 'lines';
    if (many === 1) return 'bars';
    return many <= 4 && measure !== 'change' ? 'grouped' : 'heat';
  }

  function amount(view, line, k) {
    const [now, was] = line.cells[k], {measure} = view.choice;
    if (measure === 'change') return now - was;
    return measure === 'share' ? (view.totals[k][0] ? now / view.totals[k][0] : 0) : now;
  }

  const shortly = n => Math.abs(n) >= 10000 ? `${cityline.words.decimal(n / 1000, Math.abs(n) >= 100000 ? 0 : 1)}k` : number(n);
  function words(view, line, k, short) {
    const [now, was] = line.cells[k], {measure} = view.choice, v = amount(view, line, k);
    if (measure === 'share') return short ? cityline.words.decimal(v * 100, 1) : percent(v);
    if (measure === 'change') return short || was < 30 ? signed(v) : `${signed(v)} (${change(now, was)})`;
    return short ? shortly(v) : number(v);
  }

  /* Labels of rows: beside the marks where there is room, above them where there is not. */
  function frame(lines, width, step) {
    const narrow = width < 560, widest = Math.max(0, ...lines.map(l => wide(l.label)));
    const left = narrow ? 0 : Math.min(Math.floor(width * 0.42), Math.ceil(widest) + 12);
    return {narrow, left, step: step + (narrow ? 20 : 0), top: narrow ? 20 : 0};
  }

  function rowLabels(lines, f, room) {
    return {type: 'text', from: {data: 'rows'}, interactive: false, encode: {
      enter: text({text: value('label'), limit: set(f.narrow ? room : f.left - 8), x: set(f.narrow ? 0 : -10),
        align: set(f.narrow ? 'left' : 'right'), baseline: set('middle')}),
      update: {y: {signal: f.narrow ? `datum.r * ${f.step} + 11` : `datum.r * ${f.step} + ${f.step / 2}`},
        fill: set('var(--ink)'), fontWeight: when(CURSOR, set(600), set(400))}}};
  }

  const hollow = {fillOpacity: when('datum.hollow', set(0.12), set(1)), strokeDash: when('datum.hollow', set([4, 3]), set([1, 0])),
    strokeWidth: when(CURSOR, set(2.5), set(1.5)),
    stroke: [{test: CURSOR, value: 'var(--ink)'}, {test: 'datum.hollow', field: 'fill'}, {value: 'transparent'}]};

  function base(width, height, padding, data, marks) {
    return {$schema: 'https://vega.github.io/schema/vega/v6.json', width, height, padding, background: null,
      autosize: 'none', config: {aria: false, text: {font: FONT}},
      signals: [{name: 'cursor', value: -1}], data, marks};
  }

  /* Horizontal bars, one per row, or one per column within each row. */
  function bars(view, width) {
    const many = view.heads.length, lines = view.lines.slice(0, limit(view, many > 1 ? 'grouped' : 'bars'));
    const thick = many > 1 ? 18 : 22, f = frame(lines, width, thick * many + (many > 1 ? 14 : 8));
    const points = lines.flatMap((l, r) => view.heads.map((h, k) => ({r, k, v: amount(view, l, k),
      text: words(view, l, k), fill: colour(view, k), hollow: !!(l.provisional || h.provisional)})));
    const values = points.map(p => p.v), low = Math.min(0, ...values), high = Math.max(0, ...values) || 1;
    const spare = Math.max(...points.map(p => wide(p.text))) + 14, inner = width - f.left - 2;
    const from = low < 0 ? spare : 0, scale = (inner - from - spare) / (high - low);
    const at = v => from + (v - low) * scale;
    for (const p of points) {
      p.x = at(Math.min(0, p.v)); p.x2 = at(Math.max(0, p.v));
      p.y = p.r * f.step + f.top + p.k * thick + (f.step - f.top - thick * many) / 2;
      p.tx = p.v < 0 ? p.x - 6 : p.x2 + 6; p.align = p.v < 0 ? 'right' : 'left';
      if (view.choice.measure === 'change') p.fill = p.v < 0 ? 'var(--c-fall)' : 'var(--c-rise)';
    }
    const key = many > 1 ? legend(view, -f.left, width) : {top: 4, marks: []};
    const spec = base(inner, lines.length * f.step, {left: f.left, right: 2, top: key.top, bottom: 4},
      [{name: 'rows', values: lines.map((l, r) => ({r, label: l.label}))}, {name: 'points', values: points}],
      [{type: 'rect', from: {data: 'points'}, encode: {
        enter: {x: value('x'), x2: value('x2'), y: value('y'), height: set(thick - 2), fill: value('fill')}, update: hollow}},
      {type: 'text', from: {data: 'points'}, encode: {enter: text({x: value('tx'), y: {field: 'y', offset: thick / 2 - 1},
        text: value('text'), align: value('align'), baseline: set('middle'), fill: set('var(--ink)')})}},
      {type: 'rule', from: {data: 'rows'}, encode: {enter: {x: set(at(0)), stroke: set('var(--control)'),
        y: {signal: `datum.r * ${f.step} + ${f.top}`}, y2: {signal: `(datum.r + 1) * ${f.step}`}}}},
      rowLabels(lines, f, inner), ...key.marks]);
    return {spec, shown: lines.length};
  }

  function colour(view, k) {
    if (view.heads.length === 1) return 'var(--c-cur)';
    return view.choice.columns === 'year' && view.heads.length === 2 ? ['var(--c-cmp)', 'var(--c-cur)'][k] : `var(--k-${k})`;
  }

  /* What the colours mean, above the marks; more lines where it is narrow. */
  function legend(view, left, width) {
    let x = left, row = 0;
    const items = view.heads.map((h, k) => {
      const label = h.label + (h.part ? ` (${h.part})` : ''), room = wide(label) + 20;
      if (x > left && x + room > left + width) { x = left; row += 1; }
      const item = {x, row, label, fill: colour(view, k), hollow: !!h.provisional};
      x += room + 20;
      return item;
    });
    const top = 16 + 20 * (row + 1), at = (i, more) => set(4 - top + i.row * 20 + more);
    const boxes = items.map(i => ({type: 'rect', encode: {enter: {x: set(i.x), y: at(i, 0), width: set(12), height: set(12),
      fill: set(i.fill), fillOpacity: set(i.hollow ? 0.12 : 1), stroke: set(i.fill), strokeDash: set(i.hollow ? [4, 3] : [1, 0])}}}));
    const names = items.map(i => ({type: 'text', encode: {enter: text({x: set(i.x + 18), y: at(i, 6), baseline: set('middle'),
      text: set(i.label), fill: set('var(--ink)')})}}));
    return {top, marks: [...boxes, ...names]};
  }

  /* A field of cells with their numbers in them. */
  function heat(view, width) {
    const lines = view.lines.slice(0, limit(view, 'heat')), f = frame(lines, width, 30), many = view.heads.length;
    const texts = lines.map(l => view.heads.map((_, k) => words(view, l, k, true)));
    const least = Math.max(...texts.flat().map(t => wide(t, 12)), ...view.heads.map(h => wide(h.label, 12))) + 8;
    const cell = Math.max(least, Math.min(140, (width - f.left) / many)), inner = cell * many;
    const values = lines.flatMap(l => view.heads.map((_, k) => Math.abs(amount(view, l, k))));
    const most = Math.max(...values) || 1, signedCells = view.choice.measure === 'change';
    const points = lines.flatMap((l, r) => view.heads.map((h, k) => {
      const v = amount(view, l, k), strength = Math.sqrt(Math.abs(v) / most), bin = Math.min(5, Math.floor(strength * 6));
      const ink = ['low', 'low', 'low', 'mid', 'high', 'high'][bin];
      return {r, x: k * cell, y: r * f.step + f.top, text: texts[r][k], hollow: !!(l.provisional || h.provisional),
        fill: signedCells ? (v < 0 ? 'var(--c-fall)' : 'var(--c-rise)') : `var(--s-${bin})`,
        opacity: signedCells ? strength * 0.4 : 1, ink: signedCells ? 'var(--ink)' : `var(--s-ink-${ink})`};
    }));
    const spec = base(inner, lines.length * f.step, {left: f.left, right: 4, top: 28, bottom: 4},
      [{name: 'rows', values: lines.map((l, r) => ({r, label: l.label}))}, {name: 'points', values: points},
        {name: 'heads', values: view.heads.map((h, k) => ({x: (k + 0.5) * cell, label: h.label}))}],
      [{type: 'rect', from: {data: 'points'}, encode: {
        enter: {x: {field: 'x', offset: 1}, y: {field: 'y', offset: 1}, width: set(cell - 2), height: set(f.step - f.top - 2),
          fill: value('fill'), fillOpacity: value('opacity')},
        update: {strokeWidth: when(CURSOR, set(2.5), set(1.5)), strokeDash: when('datum.hollow', set([4, 3]), set([1, 0])),
          stroke: [{test: CURSOR, value: 'var(--ink)'}, {test: 'datum.hollow', value: 'var(--control)'}, {value: 'transparent'}]}}},
      {type: 'text', from: {data: 'points'}, encode: {enter: text({x: {field: 'x', offset: cell / 2}, align: set('center'),
        y: {field: 'y', offset: (f.step - f.top) / 2}, baseline: set('middle'), text: value('text'), fill: value('ink')}, 12)}},
      {type: 'text', from: {data: 'heads'}, encode: {enter: text({x: value('x'), y: set(-12), align: set('center'),
        baseline: set('middle'), text: value('label'), fill: set('var(--muted)')}, 12)}},
      rowLabels(lines, f, inner)]);
    return {spec, shown: lines.length};
  }

  function rounded(high) {
    const unit = 10 ** Math.floor(Math.log10(high || 1));
    const step = [0.1, 0.2, 0.25, 0.5, 1, 2].map(s => s * unit).find(s => high / s <= 5) || unit;
    return {step, top: Math.ceil(high / step) * step || 1};
  }

  /* Lines over months; what is not complete is dashed with hollow points. */
  function lines(view, width) {
    const order = view.heads.map((_, k) => k).sort((a, b) => view.totals[b][0] - view.totals[a][0]).slice(0, MOST.lines);
    const share = view.choice.measure === 'share', n = view.lines.length, height = width < 560 ? 240 : 320;
    const ends = order.length > 1 || view.choice.columns !== 'none';
    const right = ends ? Math.max(...order.map(k => wide(view.heads[k].label))) + 34 : 12;
    const {step, top} = rounded(Math.max(...view.lines.flatMap(l => order.map(k => amount(view, l, k))), 0));
    const ticks = []; for (let t = 0; t <= top + step / 2; t += step) ticks.push(t);
    const label = t => share ? `${String(+(t * 100).toFixed(2)).replace('.', cityline.words.point)} %` : number(t);
    const left = Math.max(...ticks.map(t => wide(label(t)))) + 12, inner = width - left - right;
    const x = r => n > 1 ? r / (n - 1) * inner : inner / 2, y = v => height - v / top * height;
    const points = [], dashes = [];
    order.forEach((k, place) => view.lines.forEach((l, r) => {
      if (view.choice.columns === 'year' && !l.cells[k][0]) return;
      points.push({r, k, series: k, x: x(r), y: y(amount(view, l, k)), hollow: !!l.provisional, stroke: colour({...view, heads: order}, view.heads.length > MOST.lines ? place : k)});
    }));
    points.forEach((p, i) => {
      for (const q of [points[i - 1], p, points[i + 1]])
        if (p.hollow && q && q.k === p.k) dashes.push({...q, series: `${p.k}/${p.r}`});
    });
    const tags = order.map(k => points.filter(p => p.k === k).at(-1)).filter(Boolean)
      .map(p => ({x: inner + 8, x2: inner + 22, tx: inner + 28, y: p.y, stroke: p.stroke, label: view.heads[p.k].label}))
      .sort((a, b) => a.y - b.y);
    // labels at line ends keep clear of each other, and of the axis below
    tags.forEach((t, i) => { t.y = Math.min(Math.max(t.y, i ? tags[i - 1].y + 16 : 0), height - (tags.length - 1 - i) * 16); });
    const line = (data, dash) => ({type: 'group', from: {facet: {name: 'one' + data, data, groupby: 'series'}}, marks: [
      {type: 'line', from: {data: 'one' + data}, encode: {enter: {x: value('x'), y: value('y'), stroke: value('stroke'),
        strokeWidth: set(2), strokeDash: set(dash), ...(dash.length ? {} : {defined: {signal: '!datum.hollow'}})}}}]});
    const named = view.lines.map((l, r) => ({l, r})).filter(({l}) => l.of === undefined || l.of === 0 || n <= 24);
    const room = Math.ceil(named.length * (n > 24 ? 44 : 64) / Math.max(1, inner));
    const marks = named.filter((_, i) => i % room === 0).map(({l, r}) => ({x: x(r), label: n > 24 && l.of !== undefined ? String(l.year) : l.short}));
    const small = extra => text({baseline: set('middle'), fill: set('var(--muted)'), ...extra});
    return {shown: order.length, spec: base(inner, height, {left, right, top: 12, bottom: 28},
      [{name: 'points', values: points}, {name: 'dashes', values: dashes}, {name: 'tags', values: ends ? tags : []},
        {name: 'ticks', values: ticks.map(t => ({y: y(t), label: label(t)}))}, {name: 'dates', values: marks}],
      [{type: 'rule', from: {data: 'ticks'}, encode: {enter: {x: set(0), x2: set(inner), y: value('y'), stroke: set('var(--hairline)')}}},
        {type: 'text', from: {data: 'ticks'}, encode: {enter: small({x: set(-8), y: value('y'), align: set('right'), text: value('label')})}},
        {type: 'rule', from: {data: 'dates'}, encode: {enter: {x: value('x'), y: set(height), y2: set(height + 5), stroke: set('var(--control)')}}},
        {type: 'text', from: {data: 'dates'}, encode: {enter: small({x: value('x'), y: set(height + 16), align: set('center'), text: value('label')})}},
        line('points', []), line('dashes', [4, 3]),
        {type: 'symbol', from: {data: 'points'}, encode: {enter: {x: value('x'), y: value('y'), strokeWidth: set(2), stroke: value('stroke')},
          update: {size: when(CURSOR, set(90), set(40)), fill: when(CURSOR, value('stroke'), set('var(--bg)')),
            opacity: when(`datum.hollow || ${CURSOR}`, set(1), set(0))}}},
        {type: 'rule', from: {data: 'tags'}, encode: {enter: {x: value('x'), x2: value('x2'), y: value('y'), stroke: value('stroke'), strokeWidth: set(3)}}},
        {type: 'text', from: {data: 'tags'}, encode: {enter: text({x: value('tx'), y: value('y'), baseline: set('middle'), text: value('label'), fill: set('var(--ink)')})}}])};
  }

  /* To a screen reader the drawing is one image, so its marks say nothing of their own. */
  function mute(marks) {
    for (const mark of marks) { mark.aria = false; mute(mark.marks || []); }
  }

  function draw(view, width) {
    const form = shape(view);
    const drawn = (form === 'lines' ? lines : form === 'heat' ? heat : bars)(view, width);
    mute(drawn.spec.marks);
    return {form, ...drawn};
  }
  return {draw};
})();
