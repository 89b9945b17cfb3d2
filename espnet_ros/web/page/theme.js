// Before the first paint: the theme that was chosen here, else that of the system.
'use strict';
try {
  const chosen = localStorage.getItem('espnet-ros-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* storage is off */ }
