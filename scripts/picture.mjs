// Takes the README's picture: one event on two screens at the same moment, in a real Chromium.
//
//   node scripts/picture.mjs        # after cargo build; writes docs/images/two-pages.png
import { shows, startBrowser, startServer } from "../tests/browser/support.mjs";

const HEIGHT = 760;
const server = await startServer();
const browser = await startBrowser();
await server.organise("POST", "/events", {
	slug: "spring-gala",
	title: "Spring gala",
	description: "Music, soup and a long table in the old tram depot. Doors open at 18:00.",
	capacity: 120,
	waitlist: true,
});
for (let person = 1; person < 87; person++) await server.register("spring-gala", person);

const open = async (path, width, colorScheme) => {
	const context = await browser.newContext({
		colorScheme,
		deviceScaleFactor: 2,
		locale: "en",
		viewport: { width, height: HEIGHT },
	});
	const page = await context.newPage();
	await page.goto(server.base + path);
	return page;
};
const pages = [
	await open("/e/spring-gala", 560, "light"),
	await open("/e/spring-gala/wall", 900, "dark"),
];
await server.register("spring-gala", 87);
const shots = [];
for (const page of pages) {
	await shows(page, 87);
	// The figure rolls for less than a second.
	await page.waitForFunction(() =>
		document.getAnimations().every((one) => one.playState !== "running"),
	);
	shots.push((await page.screenshot()).toString("base64"));
}

const sheet = await browser.newPage({ viewport: { width: 1520, height: HEIGHT + 40 } });
await sheet.setContent(
	`<body style="margin:20px;display:flex;gap:20px;background:#888">${shots
		.map((shot) => `<img height="${HEIGHT}" src="data:image/png;base64,${shot}">`)
		.join("")}</body>`,
);
await sheet.screenshot({ path: "docs/images/two-pages.png" });
await browser.close();
await server.stop();
