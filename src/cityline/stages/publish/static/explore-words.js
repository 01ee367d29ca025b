/* What the page Explore says, in both languages side by side. Sentences are whole in each. */
'use strict';
window.cityline = window.cityline || {};
cityline.words = (() => {
  const NB = '\u00a0';
  const lead = text => text.charAt(0).toUpperCase() + text.slice(1);
  const both = {
    en: {
      months: ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
      short: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
      group: ',', point: '.', percent: ' %',
      head: {department: 'Department', channel: 'Channel', year: 'Year', month: 'Month'},
      many: {department: 'departments', channel: 'channels', year: 'years', month: 'months'},
      count: (n, kind) => `${n} ${n === 1 ? kind : kind + 's'}`,
      all: 'all', allOf: kind => `All ${kind}s`, All: 'All', someOf: (n, all) => `${n} of ${all}`,
      share: 'Share', inquiries: 'Inquiries', change: 'Change', changePercent: 'Change in %', theYear: 'The year', same: 'The same figures',
      incomplete: 'incomplete', provisional: 'provisional', provisionalInAYear: 'provisional in a year', part: year => `${year} (part)`,
      ignored: list => ` Not in these data and left out: ${list}.`, unknown: (key, value) => `${key} “${value}”`,
      refused: 'This cannot be shown',
      upsideDown: (from, to) => `The first year, ${from}, is after the last, ${to}.`,
      twice: kind => `Rows and columns are both ${kind}s. Choose something else for one of them.`,
      itself: year => `${year} is compared with itself. Choose another year to compare with.`,
      oneYear: 'A change compares one year with another. Choose the same first and last year, or put years into the rows or columns.',
      nothingShared: (a, b) => `${a} and ${b} have no month that is complete in both. A comparison here never mixes a complete month with an incomplete one.`,
      bothComplete: (a, b) => `${a} and ${b} are both complete.`,
      likeForLike: (months, a, b) => `Like for like: only ${months}, the months complete in both ${a} and ${b}.`,
      eachYear: year => `Each year is compared with ${year} over the months complete in both.`,
      open: months => `Provisional, not complete: ${months}.`,
      has: (year, months) => `${year} has ${months || 'no month'} complete`,
      only: names => `Only ${names}.`,
      none: when => `No inquiries for this choice in ${when}.`,
      changeBy: (year, rows, columns, when) => `Change on ${year}, by ${rows}${columns ? ` and ${columns}` : ''}, ${when}`,
      compared: (months, when, n, d, p, year) => `${months ? months + ' ' : ''}${when} had ${n} inquiries, ${d} (${p}) on ${year}`,
      rose: (name, d) => `; ${name} rose most (${d})`, fell: (name, d) => `, ${name} fell most (${d})`,
      most: (name, when, n, all, p) => `${name} took the most inquiries in ${when}: ${n} of ${all} (${p}).`,
      peak: (all, when, name, n) => `${all} inquiries in ${when}; the most in ${name}: ${n}.`,
      least: n => `A percentage is not shown where the earlier count is below ${n}.`,
      snapshot: (title, id) => `${title}; snapshot ${id}.`, table: title => `Table: ${title}`,
      cut: (which, shown, all) => `The chart shows the ${which} ${shown} of ${all}; the table has all.`, largest: 'largest', first: 'first',
      copied: what => `${lead(what)} copied.`, byHand: what => `This browser does not let a page copy here; the ${what} is selected below.`, link: 'link', csv: 'CSV made.',
    },
    fr: {
      months: ['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre'],
      short: ['janv.', 'févr.', 'mars', 'avr.', 'mai', 'juin', 'juill.', 'août', 'sept.', 'oct.', 'nov.', 'déc.'],
      group: NB, point: ',', percent: NB + '%',
      head: {department: 'Service', channel: 'Canal', year: 'Année', month: 'Mois'},
      many: {department: 'services', channel: 'canaux', year: 'années', month: 'mois'},
      count: (n, kind) => `${n} ${{department: n > 1 ? 'services' : 'service', channel: n > 1 ? 'canaux' : 'canal', year: n > 1 ? 'années' : 'année', month: 'mois'}[kind]}`,
      all: 'tous', allOf: kind => kind === 'channel' ? 'Tous les canaux' : 'Tous les services', All: 'Tous', someOf: (n, all) => `${n} sur ${all}`,
      share: 'Part', inquiries: 'Demandes', change: 'Écart', changePercent: 'Écart en %', theYear: 'L’année', same: 'Les mêmes chiffres',
      incomplete: 'incomplète', provisional: 'provisoire', provisionalInAYear: 'provisoire une année', part: year => `${year} (en partie)`,
      ignored: list => ` Absent de ces données et omis${NB}: ${list}.`, unknown: (key, value) => `${key} «${NB}${value}${NB}»`,
      refused: 'Ceci ne peut être montré',
      upsideDown: (from, to) => `La première année, ${from}, vient après la dernière, ${to}.`,
      twice: kind => `Les lignes et les colonnes sont les mêmes (${{department: 'services', channel: 'canaux', year: 'années', month: 'mois'}[kind]}). Choisissez autre chose pour l’une d’elles.`,
      itself: year => `${year} est comparée à elle-même. Choisissez une autre année de comparaison.`,
      oneYear: 'Un écart compare une année à une autre. Choisissez la même première et dernière année, ou mettez les années en lignes ou en colonnes.',
      nothingShared: (a, b) => `${a} et ${b} n’ont aucun mois complet en commun. Une comparaison ne mêle jamais ici un mois complet et un mois incomplet.`,
      bothComplete: (a, b) => `${a} et ${b} sont toutes deux complètes.`,
      likeForLike: (months, a, b) => `À périodes égales${NB}: seulement ${months}, les mois complets à la fois en ${a} et en ${b}.`,
      eachYear: year => `Chaque année est comparée à ${year} sur les mois complets dans les deux.`,
      open: months => `Provisoire, incomplet${NB}: ${months}.`,
      has: (year, months) => `${year}${NB}: ${months ? months + ' complets' : 'aucun mois complet'}`,
      only: names => `Seulement ${names}.`,
      none: when => `Aucune demande pour ce choix en ${when}.`,
      changeBy: (year, rows, columns, when) => `Écart par rapport à ${year}, par ${{department: 'service', channel: 'canal', year: 'année', month: 'mois'}[rows]}${columns ? ` et ${{channel: 'canal', year: 'année'}[columns]}` : ''}, ${when}`,
      compared: (months, when, n, d, p, year) => `${months ? lead(months) + ' ' : ''}${when}${NB}: ${n} demandes, ${d} (${p}) par rapport à ${year}`,
      rose: (name, d) => `; plus forte hausse${NB}: ${name} (${d})`, fell: (name, d) => `; plus forte baisse${NB}: ${name} (${d})`,
      most: (name, when, n, all, p) => `${name} a reçu le plus de demandes en ${when}${NB}: ${n} sur ${all} (${p}).`,
      peak: (all, when, name, n) => `${all} demandes en ${when}; le plus en ${name}${NB}: ${n}.`,
      least: n => `Un pourcentage n’est pas montré quand le nombre de départ est inférieur à ${n}.`,
      snapshot: (title, id) => `${title}; instantané ${id}.`, table: title => `Tableau${NB}: ${title}`,
      cut: (which, shown, all) => `Le graphique montre les ${shown} ${which} sur ${all}; le tableau les a tous.`, largest: 'plus grands', first: 'premiers',
      copied: what => `${lead(what)} copié.`, byHand: what => `Ce navigateur ne laisse pas une page copier ici; le texte (${what}) est sélectionné ci-dessous.`, link: 'lien', csv: 'Le CSV est fait.',
    },
  };
  const language = document.documentElement.lang === 'fr' ? 'fr' : 'en', words = both[language];
  const grouped = n => String(Math.abs(n)).replace(/\B(?=(\d{3})+$)/g, words.group);
  const number = n => (n < 0 ? '−' : '') + grouped(n);
  const decimal = (n, places) => n.toFixed(places).replace('-', '−').replace('.', words.point);
  return {...words, both, language, number, decimal};
})();
