// Puts each moment that the server draws into the page. Without it the page loads itself anew every ten seconds.
const live = document.getElementById("live");
const told = document.getElementById("stream");
const stream = new EventSource(live.dataset.stream);
stream.onopen = () => { told.textContent = told.dataset.live; told.className = "dim"; };
stream.onmessage = (moment) => {
  const places = [...live.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  live.innerHTML = moment.data;
  live.querySelectorAll(".scroll").forEach((one, place) => { one.scrollLeft = places[place] ?? 0; });
};
stream.onerror = () => {
  told.textContent = told.dataset.lost;
  told.className = "fault";
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000); // signed out meanwhile
};
