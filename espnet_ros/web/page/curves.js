// The numbers of the last five minutes as curves, one unit each.

import { byId, cssColor, element } from './page.js';

/* global uPlot */
const CURVES = [
  { title: 'Masks per second', unit: '/s', lines: [['masks_hz', 'masks', '--c1'], ['images_hz', 'images', '--c2', [4, 4]]] },
  { title: 'Latency', unit: 'ms', lines: [['latency_p50_ms', 'median', '--c1'], ['latency_p99_ms', 'p99', '--c2', [4, 4]]], digits: 0 },
  { title: 'Dropped images', unit: '/s', lines: [['dropped_hz', 'dropped', '--c5']] },
  { title: 'Power', unit: 'W', lines: [['power_w', 'power', '--c3']] },
  { title: 'Energy per frame', unit: 'J', lines: [['frame_energy_j', 'energy', '--c4']], digits: 2 },
  { title: 'Temperature', unit: '°C', lines: [['temperature_c', 'hottest', '--c5']], digits: 0 },
];
const PLOT_HEIGHT_REM = 7.5;
const SHORTEST_S = 60;

export class Curves {
  constructor() {
    this.rows = [];
    this.columns = [];
    this.keptS = 300;
    this.parts = CURVES.map((curve) => this.build(curve));
    byId('curves').replaceChildren(...this.parts.map((part) => part.card));
    new ResizeObserver(() => this.resize()).observe(byId('curves'));
  }

  build(curve) {
    const card = element('article', 'card curve');
    const heading = element('h3', 'hidden', curve.title);
    const title = element('h2', '', curve.title);
    title.setAttribute('aria-hidden', 'true');
    const value = element('p', 'value');
    const number = element('strong', '', '–');
    const unit = element('span', '', curve.unit);
    value.append(number, unit);
    const plot = element('div', 'plot');
    card.append(heading, title, value, plot);
    return { curve, card, number, unit, plot, chart: null };
  }

  begin({ columns, rows, kept_s: keptS }) {
    this.columns = columns;
    this.rows = rows;
    this.keptS = keptS;
    this.draw();
  }

  add({ row, dropped, throttling, power_scope: scope }) {
    if (!row.length) { return; }
    const last = this.rows.at(-1);
    if (!last || row[0] > last[0]) { this.rows.push(row); }
    while (this.rows.length && this.rows[0][0] < row[0] - this.keptS) { this.rows.shift(); }
    this.words = { dropped, throttling, scope };
    this.draw();
  }

  draw() {
    for (const part of this.parts) { this.drawOne(part); }
  }

  column(name) { return this.rows.map((row) => row[this.columns.indexOf(name)]); }

  drawOne(part) {
    const { curve, card, number, unit, plot } = part;
    const data = [this.column('time_s'), ...curve.lines.map(([name]) => this.column(name))];
    const isKnown = data.slice(1).some((values) => values.some((value) => value !== null));
    const latest = data.slice(1).map((values) => values.at(-1) ?? null);
    const shown = (value) => (value === null ? '–' : value.toFixed(curve.digits ?? 1));
    number.textContent = shown(latest[0]);
    unit.textContent = [curve.unit, this.extra(curve, latest, shown)].filter(Boolean).join(' · ');
    card.classList.toggle('off', !isKnown);
    if (!isKnown) {
      part.chart?.destroy();
      part.chart = null;
      plot.textContent = this.rows.length ? 'cannot be read here' : 'nothing yet';
      return;
    }
    if (!part.chart) {
      plot.textContent = '';
      part.chart = this.plot(part, data);
    } else {
      part.chart.setData(data);
    }
    const now = data[0].at(-1);
    // A window that is wider than what is known would be mostly empty.
    const span = Math.min(Math.max(now - data[0][0], SHORTEST_S), this.keptS);
    part.chart.setScale('x', { min: now - span, max: now });
  }

  extra(curve, latest, shown) {
    const words = this.words ?? {};
    const first = curve.lines[0][0];
    if (first === 'dropped_hz') { return words.dropped === null || words.dropped === undefined ? '' : `${words.dropped} so far`; }
    if (first === 'power_w') { return words.scope; }
    if (first === 'temperature_c') {
      if (words.throttling === null || words.throttling === undefined) { return ''; }
      return words.throttling ? `throttled: ${words.throttling}` : 'not throttled';
    }
    return curve.lines.length > 1 ? `${curve.lines[1][1]} ${shown(latest[1])}` : '';
  }

  plot({ curve, plot }, data) {
    const axis = { stroke: cssColor('--soft'), grid: { stroke: cssColor('--grid'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const minutes = (_, values) => values.map((value) => this.minutes(value));
    const options = {
      ...this.size(plot),
      padding: [8, 16, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false }, y: { range: (_, low, high) => range(low, high) } },
      axes: [
        { ...axis, size: 22, gap: 2, values: minutes, splits: (_, __, low, high) => minuteSplits(low, high), grid: { show: false } },
        { ...axis, size: 40, gap: 3, space: 26 },
      ],
      series: [{}, ...curve.lines.map(([, label, color, dash]) => ({
        label, stroke: cssColor(color), width: 2, dash, points: { show: data[0].length < 2 }, fill: dash ? undefined : `${cssColor(color)}22`,
      }))],
    };
    return new uPlot(options, data, plot);
  }

  minutes(value) {
    const ago = this.rows.at(-1)[0] - value;
    if (ago < 1) { return 'now'; }
    return ago < 60 ? `−${Math.round(ago)} s` : `−${Math.round(ago / 60)} min`;
  }

  size(plot) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return { width: Math.max(plot.clientWidth, 40), height: plot.clientHeight || PLOT_HEIGHT_REM * rem };
  }

  resize() {
    for (const { chart, plot } of this.parts) { chart?.setSize(this.size(plot)); }
  }

  restyle() {
    for (const part of this.parts) { part.chart?.destroy(); part.chart = null; }
    this.draw();
  }
}

// Returns a range from 0 that the values fill well.
function range(low, high) {
  if (high === null) { return [0, 1]; }
  return [Math.min(low, 0), Math.max(high * 1.15, 0.1)];
}

function minuteSplits(low, high) {
  const splits = [];
  const step = high - low > 150 ? 120 : high - low > 75 ? 60 : 30;
  for (let value = high; value >= low; value -= step) { splits.unshift(value); }
  return splits;
}
