"use strict";
/* Small comforts of the pages. Every answer can be read without this script. */
(() => {
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = ""; said.textContent = text; };
  const french = document.documentElement.lang === "fr";

  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const address = location.href.split("#")[0] + button.dataset.anchor;
      try {
        await navigator.clipboard.writeText(address);
        say(french ? "Lien copié." : "Link copied.");
      } catch {
        location.hash = button.dataset.anchor;
        say(french ? "Le lien est dans la barre d’adresse." : "The link is in the address bar.");
      }
    });
  }

  /* A static site has a page for each year or pair of years; other choices open Explore. */
  for (const form of document.querySelectorAll("form[data-page]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = Object.fromEntries(new FormData(form));
      const filters = Object.keys(chosen).filter((k) => !["year", "compare"].includes(k) && chosen[k]);
      if (chosen.compare && chosen.compare === chosen.year) {
        say(french ? "Choisissez deux années différentes." : "Choose two different years.");
        return;
      }
      if (chosen.compare && chosen.compare > chosen.year) {
        [chosen.compare, chosen.year] = [chosen.year, chosen.compare];
      }
      location.href = filters.length
        ? form.dataset.else + "?" + new URLSearchParams(chosen)
        : form.dataset.page.replace("{year}", chosen.year).replace("{compare}", chosen.compare);
    });
  }

  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* no storage, no memory */ }
  const show = () => {
    const now = kept || (dark.matches ? "dark" : "light");
    document.documentElement.style.colorScheme = kept || "";
    theme.setAttribute("aria-pressed", String(now === "dark"));
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    kept = theme.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    try { localStorage.setItem("theme", kept); } catch { /* shown for this page only */ }
    show();
  });
  dark.addEventListener("change", show);
  show();

  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("main details")) part.open = true;
  });
})();
