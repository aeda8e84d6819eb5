from tests.town import Town


async def test_x(town: Town) -> None:
    await town.programme()
    salma = town.stranger("Salma", "fr")
    for step in [salma.says("/start rabat-2018")]:
        for line in await step:
            print(line, "\n---")
    for label in ["Français"]:
        print("\n---\n".join(await salma.taps(label)))
    for say in ["Salma 🌸 <b>El Idrissi</b>", "Maroc", "Rabat"]:
        print(">", say); print("\n---\n".join(await salma.says(say)))
    for label in ["Passer"]:
        print(">", label); print("\n---\n".join(await salma.taps(label)))
    for say in ["Univ", "١ و ٣"]:
        print(">", say); print("\n---\n".join(await salma.says(say)))
    for label in ["Au Maroc", "Oui, c'est exact", "Je suis d'accord"]:
        print(">", label); print("\n---\n".join(await salma.taps(label)))
