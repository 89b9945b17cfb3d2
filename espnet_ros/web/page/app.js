// The page: connects what the server tells with what is drawn.

import { Curves } from './curves.js';
import { EventFeed } from './events.js';
import { GroundView } from './ground.js';
import { Legend } from './legend.js';
import { ModelCard } from './model.js';
import { PictureFeed } from './feed.js';
import { PictureView } from './picture.js';
import { Probe } from './probe.js';
import { StatusList } from './statuses.js';
import { byId, remember, recall } from './page.js';

const picture = new PictureView();
const legend = new Legend((hidden) => picture.hide(hidden));
const curves = new Curves();
const ground = new GroundView();
const statuses = new StatusList();
const model = new ModelCard();
const probe = new Probe(picture, () => { feed.wantConfidence(); });
const feed = new PictureFeed(async (frame) => {
  legend.show(frame.labelSet, frame.facts);
  ground.name(frame.labelSet);
  await picture.show(frame);
  probe.refresh();
});
let camera = null;

const events = new EventFeed({
  hello: (news) => {
    byId('title').textContent = news.title;
    byId('version').textContent = news.version;
    document.title = `${news.title} · espnet_ros`;
    model.show(news.model);
    if (camera === null && news.cameras.length) { choose(news.cameras[0]); }
    showTabs(news.cameras);
  },
  history: (news) => curves.begin(news),
  sample: (news) => curves.add(news),
  statuses: (news) => statuses.show(news),
  ground: (news) => ground.show(news),
}, (isThere) => statuses.connected(isThere));

function choose(name) {
  camera = name;
  feed.choose(name);
  events.open(name);
  picture.clear();
  for (const tab of byId('tabs').children) { select(tab); }
}

function select(tab) {
  const isChosen = tab.dataset.camera === camera;
  tab.setAttribute('aria-selected', String(isChosen));
  tab.tabIndex = isChosen ? 0 : -1;
}

function showTabs(cameras) {
  const tabs = byId('tabs');
  if (tabs.children.length === cameras.length || cameras.length < 2) { return; }
  tabs.replaceChildren(...cameras.map((name) => {
    const tab = document.createElement('button');
    tab.type = 'button';
    tab.role = 'tab';
    tab.textContent = name;
    tab.dataset.camera = name;
    tab.setAttribute('aria-controls', 'stage');
    tab.addEventListener('click', () => choose(name));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { nextCamera(step); tabs.querySelector('[aria-selected="true"]').focus(); event.preventDefault(); }
    });
    select(tab);
    return tab;
  }));
  tabs.hidden = false;
}

function nextCamera(step = 1) {
  const names = [...byId('tabs').children].map((tab) => tab.dataset.camera);
  if (names.length) { choose(names[(names.indexOf(camera) + step + names.length) % names.length]); }
}

// Controls.
const blend = byId('blend');
const applyBlend = () => { picture.blend = blend.value / 100; picture.draw(); };
blend.addEventListener('input', applyBlend);
function pressable(id, apply, initially) {
  const button = byId(id);
  const set = (isOn) => { button.setAttribute('aria-pressed', String(isOn)); apply(isOn); };
  button.addEventListener('click', () => set(button.getAttribute('aria-pressed') !== 'true'));
  set(initially);
  return () => button.click();
}
const toggleSplit = pressable('split', (isOn) => { picture.isSplit = isOn; picture.draw(); }, false);
const toggleNames = pressable('names', (isOn) => { picture.hasNames = isOn; picture.draw(); }, true);
const togglePause = pressable('pause', (isOn) => { feed.pause(isOn); picture.isPaused = isOn; }, false);
const width = byId('width');
width.value = recall('width', matchMedia('(max-width: 42rem)').matches ? '640' : '960');
if (!width.value) { width.value = '960'; }
feed.width = Number(width.value);
width.addEventListener('change', () => { feed.width = Number(width.value); remember('width', width.value); });
byId('rate').addEventListener('change', (event) => { feed.rateHz = Number(event.target.value); });
const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : byId('stage').requestFullscreen());
byId('full').addEventListener('click', fullScreen);
byId('all-on').addEventListener('click', () => legend.setAll(true));
byId('all-off').addEventListener('click', () => legend.setAll(false));
byId('help-open').addEventListener('click', () => byId('help').showModal());

const root = document.documentElement;
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : darkSystem.matches);
const themeChanged = () => {
  byId('theme').textContent = isDark() ? 'Light' : 'Dark';
  curves.restyle();
  ground.draw();
};
byId('theme').addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  remember('theme', root.dataset.theme);
  themeChanged();
});
darkSystem.addEventListener('change', themeChanged);
themeChanged();
applyBlend();

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) { return; }
  const isControl = /^(BUTTON|SELECT|INPUT|SUMMARY)$/.test(event.target.tagName);
  const keys = {
    s: toggleSplit, n: toggleNames, f: fullScreen, c: () => nextCamera(), a: () => legend.setAll(true),
    ',': () => { blend.value = Number(blend.value) - 10; applyBlend(); },
    '.': () => { blend.value = Number(blend.value) + 10; applyBlend(); },
  };
  const act = keys[event.key.toLowerCase()] ?? (event.key === ' ' && !isControl ? togglePause : null);
  if (act) { act(); event.preventDefault(); }
});

document.addEventListener('visibilitychange', () => {
  // A browser has few connections to one server: a tab that nobody sees holds none.
  if (document.hidden) { feed.rest(true); events.close(); } else { feed.rest(false); events.open(camera); }
});

events.open(null);
