// Replaces the live part of the page with each update from the server. Without scripts the page reloads every ten
// seconds.
const live = document.getElementById("live");
const connection = document.getElementById("stream");
const stream = new EventSource(live.dataset.stream);
stream.onopen = () => { connection.textContent = connection.dataset.live; connection.className = "dim"; };
stream.onmessage = (update) => {
  const positions = [...live.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  live.innerHTML = update.data;
  live.querySelectorAll(".scroll").forEach((one, index) => { one.scrollLeft = positions[index] ?? 0; });
};
stream.onerror = () => {
  connection.textContent = connection.dataset.lost;
  connection.className = "fault";
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000); // the session has ended
};
